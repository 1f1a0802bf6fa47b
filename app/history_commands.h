// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/chat_controller.h"
#include "app/history_client.h"
#include "ui/window/history_dialogs.h"
#include "ui/window/main_window.h"

#include <QObject>
#include <QThreadPool>

#include <deque>
#include <memory>
#include <vector>

namespace bathyscope::app {

/// What the user does with the history as a whole: export, import, restore. Each ends with a notice or an
/// error in the window.
class HistoryCommands : public QObject {
    Q_OBJECT

public:
    HistoryCommands(HistoryClient &history, ChatController &controller, ui::MainWindow &window);

    /// Connects the commands of the window, which ask for a file first.
    void connectWindow();

    /// Writes the conversations with these ids; all of them when there are none.
    void exportTo(const ui::ExportChoice &choice, std::vector<ConversationId> ids);
    /// Reads any of the formats in storage/exchange.h.
    void importFrom(const QString &file);
    /// Everything becomes as it was in that copy; a running reply is stopped first.
    void restore(const QString &file);

signals:
    /// Conversations have come, gone or changed.
    void changed();

private:
    void askForExport(std::vector<ConversationId> ids, const QString &title);
    void askForBackup();
    void begin(storage::ImportedFile file);
    void importNext();

    HistoryClient &m_history;
    ChatController &m_controller;
    ui::MainWindow &m_window;
    std::deque<std::shared_ptr<const storage::ExchangedConversation>> m_waiting; ///< to be imported
    int m_imported = 0;
    int m_refused = 0; ///< conversations of the import that can not be stored
    QString m_notes; ///< of the import
    QThreadPool m_readers; ///< last: waits for its threads, which call this object, before anything else goes
};

} // namespace bathyscope::app
