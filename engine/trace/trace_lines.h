// SPDX-License-Identifier: GPL-3.0-or-later
//
// Traces for reading: a line of JSON for each message and token.
#pragma once

#include "engine/records.h"

#include <filesystem>
#include <span>
#include <string>

namespace bathyscope {

/// One token: id, text, logprob, section, seconds; with `inspect` also top (id, text, logprob), rest and
/// experts (layer, ids, weights). Bytes that are no UTF-8 by themselves become U+FFFD. Without line end.
std::string tokenLine(const TokenRecord &record, const ModelInfo &model, bool inspect);

/// The end of a reply: finish, reasoning, answer, counts and seconds. Without line end.
std::string summaryLine(std::span<const TokenRecord> tokens, const GenerationSummary &summary);

/// A message of a conversation and, of a reply, what was recorded.
struct TracedMessage {
    Role role = Role::User;
    std::string text; ///< what the user wrote; of a reply empty
    std::vector<TokenRecord> tokens;
    std::shared_ptr<const ModelInfo> model; ///< that wrote the reply; null when not known
    std::optional<GenerationSummary> summary; ///< once the reply has ended
};

/// Writes a conversation: a line for each message (role, content, model), each reply's tokens and its
/// summary after it. Throws Error when the file cannot be written.
void writeTraceLines(const std::filesystem::path &path, std::span<const TracedMessage> messages);

} // namespace bathyscope
