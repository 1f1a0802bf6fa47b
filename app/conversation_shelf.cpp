// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/conversation_shelf.h"

#include "app/conversions.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace bathyscope::app {

namespace {

template <typename Value>
std::vector<ui::ConversationEntry> toEntries(const std::vector<Value> &values)
{
    std::vector<ui::ConversationEntry> entries;
    std::transform(values.begin(), values.end(), std::back_inserter(entries),
                   [](const Value &value) { return toEntry(value); });
    return entries;
}

} // namespace

ConversationShelf::ConversationShelf(HistoryClient &history, QObject *parent)
    : QObject(parent)
    , m_history(history)
{
    connect(&m_model, &ui::ConversationModel::renamed, this, &ConversationShelf::rename);
}

void ConversationShelf::refresh()
{
    if (!m_search.isEmpty()) {
        search(m_search);
        return;
    }
    using List = std::vector<storage::Conversation>;
    m_history.read<List>([](storage::History &history) { return history.conversations(); },
                         [this](const List &list) {
                             if (m_search.isEmpty())
                                 m_model.setConversations(toEntries(list), QDate::currentDate());
                             emit refreshed();
                         });
}

void ConversationShelf::search(const QString &text)
{
    m_search = text;
    if (text.isEmpty()) {
        refresh();
        return;
    }
    using Hits = std::vector<storage::SearchHit>;
    storage::SearchQuery query;
    query.text = text.toStdString();
    m_history.read<Hits>([query](storage::History &history) { return history.search(query); },
                         [this, text](const Hits &hits) {
                             if (text == m_search)
                                 m_model.setResults(toEntries(hits));
                         });
}

void ConversationShelf::setPinned(storage::ConversationId id, bool pinned)
{
    m_history.write([id, pinned](storage::History &history) { history.setPinned(id, pinned); },
                    [this] { refresh(); });
}

void ConversationShelf::rename(storage::ConversationId id, const QString &title)
{
    m_history.write([id, name = title.toStdString()](storage::History &history) { history.rename(id, name); },
                    [this] { refresh(); });
}

} // namespace bathyscope::app
