// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/chat_message.h"

#include <algorithm>

namespace bathyscope::ui {

std::optional<std::uint32_t> SectionText::tokenAt(std::size_t offset) const
{
    if (offset >= utf8.size())
        return std::nullopt;
    const auto after = std::upper_bound(offsets.begin(), offsets.end(), offset);
    return tokens[static_cast<std::size_t>(after - offsets.begin()) - 1];
}

std::pair<std::size_t, std::size_t> SectionText::rangeOf(std::uint32_t token) const
{
    const auto found = std::lower_bound(tokens.begin(), tokens.end(), token);
    if (found == tokens.end() || *found != token)
        return {0, 0};
    const auto i = static_cast<std::size_t>(found - tokens.begin());
    return {offsets[i], i + 1 < offsets.size() ? offsets[i + 1] : utf8.size()};
}

void SectionText::append(std::uint32_t token, const std::string &bytes)
{
    tokens.push_back(token);
    offsets.push_back(static_cast<std::uint32_t>(utf8.size()));
    utf8 += bytes;
}

void ChatMessage::append(TokenRecord &&record)
{
    const auto index = static_cast<std::uint32_t>(tokens.size());
    if (record.section == Section::Reasoning)
        reasoning.append(index, record.bytes);
    else if (record.section == Section::Answer)
        answer.append(index, record.bytes);
    tokens.push_back(std::move(record));
}

double ChatMessage::reasoningSeconds() const
{
    if (reasoning.tokens.empty())
        return 0;
    return tokens[reasoning.tokens.back()].seconds - tokens[reasoning.tokens.front()].seconds;
}

} // namespace bathyscope::ui
