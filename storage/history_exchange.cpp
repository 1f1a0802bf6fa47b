// SPDX-License-Identifier: GPL-3.0-or-later
//
// Whole conversations out of the history and into it.
#include "engine/limits.h"
#include "storage/database.h"
#include "storage/history.h"
#include "storage/history_change.h"
#include "storage/history_rows.h"
#include "storage/id_source.h"
#include "storage/platform_lock.h"
#include "storage/token_store.h"

#include <fmt/format.h>

#include <map>
#include <utility>

namespace bathyscope::storage {

namespace {

bool isTaken(Database &database, const char *table, std::int64_t id)
{
    Statement select = database.prepare(fmt::format("SELECT 1 FROM {} WHERE id = ?1", table));
    return id <= 0 || id >= limits::maxImportedId || select.bind(1, id).step();
}

/// Ids are to ascend from parent to child and to be used once.
bool needsNewIds(Database &database, const ExchangedConversation &conversation)
{
    if (isTaken(database, "conversations", conversation.info.id))
        return true;
    std::map<MessageId, bool> seen;
    for (const ExchangedMessage &exchanged : conversation.messages) {
        const StoredMessage &message = exchanged.message;
        if (isTaken(database, "messages", message.id) || seen.contains(message.id)
            || (message.parent && (*message.parent >= message.id || !seen.contains(*message.parent))))
            return true;
        seen.emplace(message.id, true);
    }
    return false;
}

void giveNewIds(ExchangedConversation &conversation, IdSource &ids)
{
    conversation.info.id = ids.next();
    std::map<MessageId, MessageId> renamed;
    const auto find = [&](std::optional<MessageId> id) {
        const auto found = id ? renamed.find(*id) : renamed.end();
        return found == renamed.end() ? std::nullopt : std::optional(found->second);
    };
    for (ExchangedMessage &exchanged : conversation.messages) {
        StoredMessage &message = exchanged.message;
        if (message.parent && !find(message.parent))
            throw Error(
                fmt::format("Message {}: expected after its parent {}.", message.id, *message.parent));
        message.parent = find(message.parent);
        message.conversation = conversation.info.id;
        const MessageId id = ids.next();
        renamed.emplace(std::exchange(message.id, id), id);
    }
    conversation.info.leaf = find(conversation.info.leaf);
}

FolderId folderNamed(Database &database, const std::string &name, IdSource &ids)
{
    Statement select = database.prepare("SELECT id FROM folders WHERE name = ?1 ORDER BY id LIMIT 1");
    if (select.bind(1, name).step())
        return select.integer(0);
    const FolderId id = ids.next();
    database.prepare("INSERT INTO folders (id, name) VALUES (?1, ?2)").bind(1, id).bind(2, name).run();
    return id;
}

/// Otherwise what is loaded as its tokens are only its texts.
bool holdsTokens(Database &database, MessageId id)
{
    Statement select = database.prepare("SELECT 1 FROM token_chunks WHERE message = ?1 LIMIT 1");
    return select.bind(1, id).step();
}

} // namespace

ExchangedConversation History::exportConversation(ConversationId id, ExportTraces traces)
{
    Statement info = database().prepare(std::string(kSelectConversation) + " WHERE id = ?1");
    if (!info.bind(1, id).step())
        throw Error(fmt::format("The history holds no conversation {}.", id));
    ExchangedConversation exported;
    exported.info = readConversation(info);
    if (exported.info.folder) {
        Statement folder = database().prepare("SELECT name FROM folders WHERE id = ?1");
        if (folder.bind(1, *exported.info.folder).step())
            exported.folder = folder.text(0);
        exported.info.folder.reset();
    }
    Statement ids = database().prepare("SELECT id FROM messages WHERE conversation = ?1 ORDER BY id");
    ids.bind(1, id);
    Statement select = database().prepare(std::string(kSelectMessage) + " WHERE id = ?1");
    while (ids.step()) {
        LoadedMessage loaded = loadMessage(select, ids.integer(0));
        if (loaded.message.state == MessageState::Streaming) {
            const ReplyText text = joinText(database(), loaded.message.id);
            loaded.message.state = MessageState::Interrupted;
            loaded.message.text = text.answer;
            loaded.message.reasoning = text.reasoning;
        }
        const bool hasTokens = holdsTokens(database(), loaded.message.id);
        exported.messages.push_back({std::move(loaded.message), {}});
        if (traces == ExportTraces::Yes && hasTokens)
            exported.messages.back().tokens = std::move(loaded.tokens);
    }
    return exported;
}

ConversationId History::importConversation(ExchangedConversation conversation, IdSource &ids)
{
    Change change(*this);
    ids.startAfter(newestId());
    if (needsNewIds(database(), conversation))
        giveNewIds(conversation, ids);
    Conversation &info = conversation.info;
    info.folder.reset();
    if (!conversation.folder.empty())
        info.folder = folderNamed(database(), conversation.folder, ids);
    create(info);
    if (info.pinned)
        setPinned(info.id, true);
    for (const ExchangedMessage &exchanged : conversation.messages) {
        StoredMessage message = exchanged.message;
        if (message.state == MessageState::Streaming)
            message.state = MessageState::Interrupted;
        addNode(message);
        if (exchanged.tokens.empty())
            continue;
        const std::int64_t first = appendChunks(database(), message.id, exchanged.tokens);
        m_traces->append(message.id, info.id, message.model, first, exchanged.tokens);
    }
    database()
        .prepare("UPDATE conversations SET updated = ?2, leaf = ifnull((SELECT id FROM messages "
                 "WHERE id = ?3 AND conversation = ?1), leaf) WHERE id = ?1")
        .bind(1, info.id)
        .bind(2, info.updated != 0 ? info.updated : stamp())
        .bind(3, info.leaf)
        .run();
    ids.startAfter(newestId());
    m_trimTraces = true;
    change.commit();
    return info.id;
}

} // namespace bathyscope::storage
