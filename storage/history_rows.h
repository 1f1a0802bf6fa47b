// SPDX-License-Identifier: GPL-3.0-or-later
//
// Between rows of the tables and values; for the parts of History.
#pragma once

#include "storage/history_types.h"

#include <string_view>

namespace bathyscope::storage {

class Database;
class Statement;

[[nodiscard]] Milliseconds now();

[[nodiscard]] constexpr std::int64_t number(MessageState state)
{
    return static_cast<std::int64_t>(state);
}

inline constexpr std::string_view kSelectConversation =
    "SELECT id, title, system_prompt, pinned, created, updated, leaf, "
    "(SELECT count(*) FROM messages WHERE conversation = conversations.id), folder FROM conversations";
[[nodiscard]] Conversation readConversation(const Statement &row);

inline constexpr std::string_view kSelectMessage =
    "SELECT id, conversation, parent, role, state, text, reasoning, error, created, model, sampling, summary "
    "FROM messages";
/// A damaged part is left at its default and told in `damage`.
[[nodiscard]] StoredMessage readMessage(const Statement &row, std::string &damage);

void insertMessage(Database &database, const StoredMessage &message);

/// Throws when the last statement changed nothing: `what` is not there.
void expectChange(const Database &database, std::string_view what, std::int64_t id);

} // namespace bathyscope::storage
