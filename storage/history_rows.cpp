// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/history_rows.h"

#include "storage/database.h"
#include "storage/json_values.h"

#include <fmt/format.h>

#include <chrono>

namespace bathyscope::storage {

namespace {

template <typename Value>
std::optional<Value> readJson(const Statement &row, int column, std::string &damage)
{
    if (row.isNull(column))
        return std::nullopt;
    try {
        Value value;
        fromJson(row.blob(column), value);
        return value;
    } catch (const Error &error) {
        damage = error.what();
        return std::nullopt;
    }
}

template <typename Value>
std::optional<std::string> writeJson(const std::optional<Value> &value)
{
    return value ? std::optional(toJson(*value)) : std::nullopt;
}

} // namespace

Milliseconds now()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

Conversation readConversation(const Statement &row)
{
    Conversation conversation;
    conversation.id = row.integer(0);
    conversation.title = row.text(1);
    conversation.systemPrompt = row.text(2);
    conversation.pinned = row.integer(3) != 0;
    conversation.created = row.integer(4);
    conversation.updated = row.integer(5);
    conversation.leaf = row.optionalInteger(6);
    conversation.messages = row.integer(7);
    conversation.folder = row.optionalInteger(8);
    return conversation;
}

StoredMessage readMessage(const Statement &row, std::string &damage)
{
    StoredMessage message;
    message.id = row.integer(0);
    message.conversation = row.integer(1);
    message.parent = row.optionalInteger(2);
    message.role = static_cast<Role>(row.integer(3)); // the table checks both ranges
    message.state = static_cast<MessageState>(row.integer(4));
    message.text = row.text(5);
    message.reasoning = row.text(6);
    message.error = row.text(7);
    message.created = row.integer(8);
    message.model = row.text(9);
    message.sampling = readJson<SamplingParameters>(row, 10, damage);
    message.summary = readJson<GenerationSummary>(row, 11, damage);
    return message;
}

void insertMessage(Database &database, const StoredMessage &message)
{
    database
        .prepare(
            "INSERT INTO messages (id, conversation, parent, role, state, text, reasoning, error, created, "
            "model, sampling, summary) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")
        .bind(1, message.id)
        .bind(2, message.conversation)
        .bind(3, message.parent)
        .bind(4, static_cast<std::int64_t>(message.role))
        .bind(5, number(message.state))
        .bind(6, message.text)
        .bind(7, message.reasoning)
        .bind(8, message.error)
        .bind(9, message.created)
        .bind(10, message.model)
        .bind(11, writeJson(message.sampling))
        .bind(12, writeJson(message.summary))
        .run();
}

void expectChange(const Database &database, std::string_view what, std::int64_t id)
{
    if (database.changes() == 0)
        throw Error(fmt::format("The history holds no {} {}.", what, id));
}

} // namespace bathyscope::storage
