// SPDX-License-Identifier: GPL-3.0-or-later
//
// Between tokens and the places where they are rendered.
#pragma once

#include "ui/chat/message_painter.h"
#include "ui/model/chat_model.h"
#include "ui/model/selection.h"

namespace bathyscope::ui::tokenmap {

[[nodiscard]] const SectionText &textOf(const ChatMessage &message, Section section);

/// The token under a rendered character of a reply.
[[nodiscard]] std::optional<int> tokenAt(const ChatMessage &message, const MessageLayout &layout,
                                         Section section, TextPosition character);

/// Where a token is rendered; none for markers, which are not shown.
[[nodiscard]] std::optional<TextRange> rangeOf(const ChatMessage &message, const MessageLayout &layout,
                                               int token);

/// Where the shown ones of a range of tokens are rendered: at most a stretch for each section.
[[nodiscard]] std::vector<TextRange> rangesOf(const ChatMessage &message, const MessageLayout &layout,
                                              const TokenRange &tokens);

/// The next (step 1) or previous (-1) token that is shown, across messages; none at the ends.
[[nodiscard]] std::optional<TokenPosition> neighbour(const ChatModel &model, TokenPosition from, int step);

/// First token of the last reply that has one.
[[nodiscard]] std::optional<TokenPosition> lastReply(const ChatModel &model);

} // namespace bathyscope::ui::tokenmap
