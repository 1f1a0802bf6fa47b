// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/history_client.h"
#include "ui/conversations/conversation_model.h"

#include <QObject>

namespace bathyscope::app {

/// Keeps the list of conversations as the history has it, or what a search finds, and changes it as the user
/// asks.
class ConversationShelf : public QObject {
    Q_OBJECT

public:
    explicit ConversationShelf(HistoryClient &history, QObject *parent = nullptr);

    [[nodiscard]] ui::ConversationModel *model() { return &m_model; }

    void refresh();
    void search(const QString &text, bool reasoning); ///< empty: the whole list
    void setPinned(storage::ConversationId id, bool pinned);
    /// `folder` 0: into none.
    void moveToFolder(storage::ConversationId id, storage::FolderId folder);
    /// With `id` in it, unless that is 0.
    void createFolder(const QString &name, storage::ConversationId id);
    void removeFolder(storage::FolderId id);

signals:
    void refreshed();

private:
    void change(storage::HistoryThread::Write operations);

    HistoryClient &m_history;
    ui::ConversationModel m_model;
    storage::SearchQuery m_search; ///< without text: the whole list
};

} // namespace bathyscope::app
