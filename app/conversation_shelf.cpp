// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/conversation_shelf.h"

#include "app/conversions.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace bathyscope::app {

namespace {

template <typename Value>
auto toEntries(const std::vector<Value> &values)
{
    std::vector<decltype(toEntry(values.front()))> entries;
    std::transform(values.begin(), values.end(), std::back_inserter(entries),
                   [](const Value &value) { return toEntry(value); });
    return entries;
}

} // namespace

ConversationShelf::ConversationShelf(HistoryClient &history, QObject *parent)
    : QObject(parent)
    , m_history(history)
{
    connect(&m_model, &ui::ConversationModel::renamed, this, [this](std::int64_t id, const QString &title) {
        change([id, text = title.toStdString()](storage::History &stored) { stored.rename(id, text); });
    });
    connect(&m_model, &ui::ConversationModel::folderRenamed, this,
            [this](std::int64_t id, const QString &name) {
                change([id, text = name.toStdString()](storage::History &stored) {
                    stored.renameFolder(id, text);
                });
            });
}

void ConversationShelf::refresh()
{
    if (!m_search.text.empty()) {
        search(QString::fromStdString(m_search.text), m_search.reasoning);
        return;
    }
    struct List {
        std::vector<storage::Conversation> conversations;
        std::vector<storage::Folder> folders;
    };
    m_history.read<List>(
        [](storage::History &history) {
            return List{history.conversations(), history.folders()};
        },
        [this](const List &list) {
            if (m_search.text.empty())
                m_model.setConversations(toEntries(list.conversations), toEntries(list.folders),
                                         QDate::currentDate());
            emit refreshed();
        });
}

void ConversationShelf::search(const QString &text, bool reasoning)
{
    m_search.text = text.toStdString();
    m_search.reasoning = reasoning;
    if (text.isEmpty()) {
        refresh();
        return;
    }
    using Hits = std::vector<storage::SearchHit>;
    m_history.read<Hits>([query = m_search](storage::History &history) { return history.search(query); },
                         [this, query = m_search](const Hits &hits) {
                             if (query == m_search)
                                 m_model.setResults(toEntries(hits));
                         });
}

void ConversationShelf::setPinned(storage::ConversationId id, bool pinned)
{
    change([id, pinned](storage::History &history) { history.setPinned(id, pinned); });
}

void ConversationShelf::moveToFolder(storage::ConversationId id, storage::FolderId folder)
{
    change([id, folder](storage::History &history) {
        history.moveToFolder(id, folder == 0 ? std::nullopt : std::optional(folder));
    });
}

void ConversationShelf::createFolder(const QString &name, storage::ConversationId id)
{
    const storage::Folder folder{.id = m_history.newId(), .name = name.toStdString()};
    change([folder, id](storage::History &history) {
        history.createFolder(folder);
        if (id != 0)
            history.moveToFolder(id, folder.id);
    });
}

void ConversationShelf::removeFolder(storage::FolderId id)
{
    change([id](storage::History &history) { history.removeFolder(id); });
}

void ConversationShelf::change(storage::HistoryThread::Write operations)
{
    m_history.write(std::move(operations), [this] { refresh(); });
}

} // namespace bathyscope::app
