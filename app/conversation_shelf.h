// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/history_client.h"
#include "ui/conversations/conversation_model.h"

#include <QObject>

namespace bathyscope::app {

/// Keeps the list of conversations as the history has it, or what a search finds.
class ConversationShelf : public QObject {
    Q_OBJECT

public:
    explicit ConversationShelf(HistoryClient &history, QObject *parent = nullptr);

    [[nodiscard]] ui::ConversationModel *model() { return &m_model; }

    void refresh();
    void search(const QString &text); ///< empty: the whole list
    void setPinned(storage::ConversationId id, bool pinned);

signals:
    void refreshed();

private:
    void rename(storage::ConversationId id, const QString &title);

    HistoryClient &m_history;
    ui::ConversationModel m_model;
    QString m_search;
};

} // namespace bathyscope::app
