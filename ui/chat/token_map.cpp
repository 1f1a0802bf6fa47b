// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/token_map.h"

#include <algorithm>

namespace bathyscope::ui::tokenmap {

namespace {

/// The first shown token from `token` on in direction `step`; none when the message has no more.
std::optional<int> shownFrom(const ChatMessage &message, int token, int step)
{
    for (; token >= 0 && token < static_cast<int>(message.tokens.size()); token += step) {
        if (message.tokens[static_cast<std::size_t>(token)].section != Section::Marker)
            return token;
    }
    return std::nullopt;
}

} // namespace

const SectionText &textOf(const ChatMessage &message, Section section)
{
    return section == Section::Reasoning ? message.reasoning : message.answer;
}

std::optional<int> tokenAt(const ChatMessage &message, const MessageLayout &layout, Section section,
                           TextPosition character)
{
    if (message.role != Role::Assistant)
        return std::nullopt;
    const auto byte = layout.section(section).sourceOf(character);
    if (!byte)
        return std::nullopt;
    const auto token = textOf(message, section).tokenAt(*byte);
    return token ? std::optional<int>(static_cast<int>(*token)) : std::nullopt;
}

std::optional<TextRange> rangeOf(const ChatMessage &message, const MessageLayout &layout, int token)
{
    if (token < 0 || token >= static_cast<int>(message.tokens.size()))
        return std::nullopt;
    const Section section = message.tokens[static_cast<std::size_t>(token)].section;
    if (section == Section::Marker)
        return std::nullopt;
    const auto [begin, end] = textOf(message, section).rangeOf(static_cast<std::uint32_t>(token));
    const auto [from, to] = layout.section(section).rendered(begin, end);
    return TextRange{section, from, to};
}

std::vector<TextRange> rangesOf(const ChatMessage &message, const MessageLayout &layout,
                                const TokenRange &tokens)
{
    std::vector<TextRange> ranges;
    for (const Section section : {Section::Reasoning, Section::Answer}) {
        const SectionText &text = textOf(message, section);
        const auto index = [&](int token) {
            return std::lower_bound(text.tokens.begin(), text.tokens.end(),
                                    static_cast<std::uint32_t>(std::max(token, 0)))
                - text.tokens.begin();
        };
        const auto first = static_cast<std::size_t>(index(tokens.first));
        const auto end = static_cast<std::size_t>(index(tokens.last + 1));
        if (first >= end)
            continue;
        const std::size_t endByte = end < text.offsets.size() ? text.offsets[end] : text.utf8.size();
        const auto [from, to] = layout.section(section).rendered(text.offsets[first], endByte);
        ranges.push_back({section, from, to});
    }
    return ranges;
}

std::optional<TokenPosition> neighbour(const ChatModel &model, TokenPosition from, int step)
{
    int row = model.rowOf(from.message);
    if (row < 0)
        return std::nullopt;
    std::optional<int> token = shownFrom(model.message(row), from.token + step, step);
    while (!token) {
        row += step;
        if (row < 0 || row >= model.rowCount())
            return std::nullopt;
        const ChatMessage &message = model.message(row);
        token = shownFrom(message, step > 0 ? 0 : static_cast<int>(message.tokens.size()) - 1, step);
    }
    return TokenPosition{model.message(row).id, *token};
}

std::optional<TokenPosition> lastReply(const ChatModel &model)
{
    for (int row = model.rowCount() - 1; row >= 0; --row) {
        if (const auto token = shownFrom(model.message(row), 0, 1))
            return TokenPosition{model.message(row).id, *token};
    }
    return std::nullopt;
}

} // namespace bathyscope::ui::tokenmap
