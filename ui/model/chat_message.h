// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

#include <QString>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bathyscope::ui {

/// Identifies a message in the history; chosen by the program before it is stored.
using MessageId = std::int64_t;

enum class MessageState : std::uint8_t {
    Waiting, ///< prompt is being read
    Streaming,
    Complete,
    Stopped, ///< by the user, or at a limit
    Interrupted, ///< the program ended while it was written
    Failed ///< see ChatMessage::error
};

/// The text of one section of a reply, and which token every byte of it came from.
struct SectionText {
    std::string utf8; ///< joined bytes of the section's tokens; may end inside a character while streaming
    std::vector<std::uint32_t> tokens; ///< indices into ChatMessage::tokens, in order
    std::vector<std::uint32_t> offsets; ///< byte offset in `utf8` at which tokens[i] begins, ascending

    /// Index into ChatMessage::tokens of the token that holds byte `offset`; none past the end.
    [[nodiscard]] std::optional<std::uint32_t> tokenAt(std::size_t offset) const;

    /// Half-open byte range of the token with index `token` in ChatMessage::tokens; empty when it is not
    /// here.
    [[nodiscard]] std::pair<std::size_t, std::size_t> rangeOf(std::uint32_t token) const;

    void append(std::uint32_t token, const std::string &bytes);
};

/// One message of the conversation in the window.
struct ChatMessage {
    MessageId id = 0;
    Role role = Role::User;
    MessageState state = MessageState::Complete;
    std::string text; ///< what the user wrote; empty for replies
    std::vector<TokenRecord> tokens; ///< of a reply, markers included
    SectionText reasoning;
    SectionText answer;
    std::optional<PrefillProgress> prefill; ///< while state is Waiting
    std::optional<GenerationSummary> summary; ///< once ended
    QString error;

    /// Appends a record and updates the section texts.
    void append(TokenRecord &&record);

    /// Seconds between the first and the last token of the reasoning.
    [[nodiscard]] double reasoningSeconds() const;
    [[nodiscard]] bool isRunning() const
    {
        return state == MessageState::Waiting || state == MessageState::Streaming;
    }
};

} // namespace bathyscope::ui
