// SPDX-License-Identifier: GPL-3.0-or-later
//
// Splits a streamed reply into reasoning and answer.
#pragma once

#include "engine/records.h"

#include <cstddef>
#include <deque>
#include <string_view>
#include <vector>

namespace bathyscope {

/// Assigns a Section to every token of a reply, token by token.
///
/// The reply starts in reasoning when the rendered prompt ends with an open `<think>` (white space after it
/// allowed), in the answer when it ends with `</think>` or without either. A leading `<think>` that the
/// model writes itself opens the reasoning; a later one is text. The first `</think>` inside the reasoning
/// closes it; one outside of any reasoning is text. A tag may be one token or spread over several, whose
/// bytes may also hold neighbouring text; tokens that may yet become part of a tag are held back until that
/// is decided, and a token that holds both a tag and text counts by its (last) text. White space directly
/// after a tag, or before a leading `<think>`, is a marker too: it separates the sections and is not shown.
class ReasoningParser {
public:
    explicit ReasoningParser(std::string_view renderedPrompt);

    /// Takes the next token, returns those whose section is now certain, in order.
    [[nodiscard]] std::vector<TokenRecord> push(TokenRecord &&record);

    /// The reply is over: returns what was held back.
    [[nodiscard]] std::vector<TokenRecord> finish();

    /// The section that ordinary text would belong to now.
    [[nodiscard]] Section current() const { return m_current; }

private:
    struct Held {
        TokenRecord record; ///< its section is Marker until a byte of text is found in it
        std::size_t undecided = 0; ///< bytes
    };

    void scan(char byte);
    void decide(std::size_t bytes, Section section);
    [[nodiscard]] std::string_view awaitedTag() const;
    [[nodiscard]] std::vector<TokenRecord> release();

    Section m_current = Section::Answer;
    bool m_mayOpen = true; ///< nothing but white space was seen, so `<think>` would open the reasoning
    bool m_afterTag = false; ///< white space here belongs to the tag before it
    std::size_t m_space = 0; ///< undecided bytes of white space before a possible leading `<think>`
    std::size_t m_matched = 0; ///< undecided bytes that a tag may begin with
    std::deque<Held> m_held;
};

} // namespace bathyscope
