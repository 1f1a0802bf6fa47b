// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the readers of exchange.h share.
#pragma once

#include "storage/exchange.h"

#include <nlohmann/json.hpp>

#include <string_view>

namespace bathyscope::storage {

using Json = nlohmann::json;

/// Throws Error for text that is no JSON or is nested too deeply.
[[nodiscard]] Json parseForeign(std::string_view text);

/// The string at a key; empty when it is missing or something else.
[[nodiscard]] std::string stringAt(const Json &json, const char *key);

/// Adds our lines, one after the other.
class JsonLinesReader {
public:
    void add(const Json &line);
    [[nodiscard]] ImportedFile take();

private:
    void addConversation(const Json &json);
    void addMessage(const Json &json);

    ImportedFile m_file;
    std::size_t m_messages = 0;
};

/// `file` is the array of a conversations.json.
[[nodiscard]] ImportedFile readChatGpt(const Json &file);

/// A conversation from an array of {"role","content"}.
[[nodiscard]] ExchangedConversation readPlainMessages(const Json &messages, std::string &notes);

/// "user", "human", "assistant", …; User for what is unknown.
[[nodiscard]] Role roleOf(const std::string &name);

/// Text of a message's `content`: a string, or a list of parts with `text`.
[[nodiscard]] std::string contentText(const Json &content);

} // namespace bathyscope::storage
