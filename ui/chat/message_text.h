// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words around a message: captions, states, speeds.
#pragma once

#include "ui/model/chat_message.h"

#include <QString>

namespace bathyscope::ui::messagetext {

/// "0.04 s · 78 tokens"
[[nodiscard]] QString reasoningCaption(const ChatMessage &message);
/// "Reading the prompt 512 / 2,048"; empty unless the reply is waited for.
[[nodiscard]] QString progress(const ChatMessage &message);
/// "2,140 tokens/s · perplexity 1.02", with "stopped" before it.
[[nodiscard]] QString status(const ChatMessage &message);
/// Why a reply ended early and what to do; empty when it did not.
[[nodiscard]] QString note(const ChatMessage &message);
/// The Markdown source of a message, as it is copied.
[[nodiscard]] QString source(const ChatMessage &message);

} // namespace bathyscope::ui::messagetext
