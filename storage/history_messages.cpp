// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tree of messages.
#include "storage/database.h"
#include "storage/history.h"
#include "storage/history_change.h"
#include "storage/history_rows.h"
#include "storage/json_values.h"
#include "storage/platform_lock.h"
#include "storage/token_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope::storage {

namespace {

void setLeaf(Database &database, ConversationId conversation, MessageId leaf)
{
    database.prepare("UPDATE conversations SET leaf = ?2 WHERE id = ?1")
        .bind(1, conversation)
        .bind(2, leaf)
        .run();
}

ConversationId conversationOf(Database &database, MessageId id)
{
    Statement select = database.prepare("SELECT conversation FROM messages WHERE id = ?1");
    if (!select.bind(1, id).step())
        throw Error(fmt::format("The history holds no message {}.", id));
    return select.integer(0);
}

struct StreamingReply {
    ConversationId conversation = 0;
    std::string model;
};

StreamingReply expectStreaming(Database &database, MessageId id)
{
    Statement select =
        database.prepare("SELECT conversation, model FROM messages WHERE id = ?1 AND state = ?2");
    if (!select.bind(1, id).bind(2, number(MessageState::Streaming)).step())
        throw Error(fmt::format("The history holds no message {} that is being written.", id));
    return {select.integer(0), select.text(1)};
}

/// What `text` holds after the first `shown` bytes, as one record.
void appendRest(std::vector<TokenRecord> &tokens, Section section, const std::string &text, std::size_t shown)
{
    if (text.size() <= shown)
        return;
    TokenRecord rest;
    rest.id = -1;
    rest.section = section;
    rest.bytes = text.substr(shown);
    tokens.push_back(std::move(rest));
}

void completeFromText(LoadedMessage &loaded)
{
    std::size_t reasoning = 0;
    std::size_t answer = 0;
    for (const TokenRecord &token : loaded.tokens) {
        reasoning += token.section == Section::Reasoning ? token.bytes.size() : 0;
        answer += token.section == Section::Answer ? token.bytes.size() : 0;
    }
    appendRest(loaded.tokens, Section::Reasoning, loaded.message.reasoning, reasoning);
    appendRest(loaded.tokens, Section::Answer, loaded.message.text, answer);
}

void findSiblings(Statement &select, LoadedMessage &loaded)
{
    select.reset().bind(1, loaded.message.conversation).bind(2, loaded.message.parent);
    while (select.step())
        loaded.siblings.push_back(select.integer(0));
    const auto own = std::find(loaded.siblings.begin(), loaded.siblings.end(), loaded.message.id);
    loaded.siblingIndex = static_cast<std::size_t>(own - loaded.siblings.begin());
}

} // namespace

void History::addNode(StoredMessage message)
{
    Change change(*this);
    if (message.parent && conversationOf(database(), *message.parent) != message.conversation)
        throw Error(fmt::format("Message {} cannot answer message {} of another conversation.", message.id,
                                *message.parent));
    if (message.parent && *message.parent >= message.id)
        throw Error(fmt::format("Message {}: expected an id greater than that of its parent {}.", message.id,
                                *message.parent));
    if (message.created == 0)
        message.created = stamp();
    insertMessage(database(), message);
    setLeaf(database(), message.conversation, message.id);
    database()
        .prepare("UPDATE conversations SET updated = max(updated, ?2) WHERE id = ?1")
        .bind(1, message.conversation)
        .bind(2, message.created)
        .run();
    change.commit();
}

void History::addMessage(const StoredMessage &message)
{
    if (message.state == MessageState::Streaming)
        throw Error(fmt::format("Message {}: expected a whole message, found one that is being written.",
                                message.id));
    addNode(message);
}

void History::beginReply(const StoredMessage &message)
{
    StoredMessage reply = message;
    reply.state = MessageState::Streaming;
    addNode(std::move(reply));
}

void History::appendTokens(MessageId id, const std::vector<TokenRecord> &tokens)
{
    Change change(*this, Change::Sync::Later);
    const StreamingReply reply = expectStreaming(database(), id);
    const std::int64_t first = appendChunks(database(), id, tokens);
    m_traces->append(id, reply.conversation, reply.model, first, tokens);
    change.commit();
}

void History::finishReply(MessageId id, MessageState state, const GenerationSummary &summary,
                          const std::string &error)
{
    Change change(*this);
    const StreamingReply reply = expectStreaming(database(), id);
    const ReplyText text = joinText(database(), id);
    database()
        .prepare("UPDATE messages SET state = ?2, text = ?3, reasoning = ?4, error = ?5, summary = ?6 "
                 "WHERE id = ?1")
        .bind(1, id)
        .bind(2, number(state))
        .bind(3, text.answer)
        .bind(4, text.reasoning)
        .bind(5, error)
        .bind(6, toJson(summary))
        .run();
    database()
        .prepare("UPDATE conversations SET updated = max(updated, ?2) WHERE id = ?1")
        .bind(1, reply.conversation)
        .bind(2, stamp())
        .run();
    m_trimTraces = true;
    change.commit();
}

MessageId History::selectBranch(MessageId id)
{
    Change change(*this);
    const ConversationId conversation = conversationOf(database(), id);
    Statement newestChild = database().prepare(
        "SELECT max(id) FROM messages WHERE parent = ?1 AND conversation = ?2 AND id > ?1");
    MessageId leaf = id;
    while (newestChild.reset().bind(1, leaf).bind(2, conversation).step() && !newestChild.isNull(0))
        leaf = newestChild.integer(0);
    newestChild.reset();
    setLeaf(database(), conversation, leaf);
    change.commit();
    return leaf;
}

LoadedMessage History::loadMessage(Statement &select, MessageId id)
{
    if (!select.reset().bind(1, id).step())
        throw Error(fmt::format("The history holds no message {}.", id));
    LoadedMessage loaded;
    loaded.message = readMessage(select, loaded.damage);
    if (loaded.message.role != Role::Assistant)
        return loaded;
    StoredTokens stored = loadTokens(database(), id);
    loaded.tokens = std::move(stored.tokens);
    if (!stored.damage.empty())
        loaded.damage = std::move(stored.damage);
    m_traces->load(loaded);
    completeFromText(loaded);
    return loaded;
}

LoadedMessage History::message(MessageId id)
{
    Statement select = database().prepare(std::string(kSelectMessage) + " WHERE id = ?1");
    return loadMessage(select, id);
}

LoadedConversation History::load(ConversationId id)
{
    Statement select = database().prepare(std::string(kSelectConversation) + " WHERE id = ?1");
    if (!select.bind(1, id).step())
        throw Error(fmt::format("The history holds no conversation {}.", id));
    LoadedConversation loaded{readConversation(select), {}};

    Statement message = database().prepare(std::string(kSelectMessage) + " WHERE id = ?1");
    Statement siblings =
        database().prepare("SELECT id FROM messages WHERE parent IS ?2 AND conversation = ?1 ORDER BY id");
    std::optional<MessageId> next = loaded.info.leaf;
    while (next) {
        loaded.path.push_back(loadMessage(message, *next));
        findSiblings(siblings, loaded.path.back());
        next = loaded.path.back().message.parent;
        // Only in a damaged file; the path could lead in a circle.
        if (next && *next >= loaded.path.back().message.id)
            throw Error(
                fmt::format("The conversation \"{}\" is damaged: message {} comes before its parent {}.",
                            loaded.info.title, loaded.path.back().message.id, *next));
    }
    std::reverse(loaded.path.begin(), loaded.path.end());
    return loaded;
}

} // namespace bathyscope::storage
