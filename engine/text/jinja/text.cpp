// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/jinja/text.h"

#include "engine/text/tokenizer/utf8.h"

#include <algorithm>

namespace bathyscope::jinja {

Text::Text(std::string bytes, Origin origin)
    : m_bytes(std::move(bytes))
    , m_origins(m_bytes.size(), static_cast<char>(origin))
{
}

void Text::append(const Text &other)
{
    m_bytes += other.m_bytes;
    m_origins += other.m_origins;
}

void Text::append(std::string_view bytes, Origin origin)
{
    m_bytes += bytes;
    m_origins.append(bytes.size(), static_cast<char>(origin));
}

Text Text::slice(std::size_t begin, std::size_t count) const
{
    Text result;
    result.m_bytes = m_bytes.substr(begin, count);
    result.m_origins = m_origins.substr(begin, count);
    return result;
}

std::vector<std::size_t> Text::characterOffsets() const
{
    std::vector<std::size_t> offsets;
    for (std::size_t at = 0; at < m_bytes.size();) {
        offsets.push_back(at);
        at += std::max<std::size_t>(1, utf8::characterLength(m_bytes, at));
    }
    offsets.push_back(m_bytes.size());
    return offsets;
}

std::size_t Text::characterCount() const
{
    return characterOffsets().size() - 1;
}

Text Text::stripped(bool left, bool right, std::string_view set) const
{
    const std::vector<std::size_t> offsets = characterOffsets();
    const auto strips = [&](std::size_t index) {
        const std::size_t length = offsets[index + 1] - offsets[index];
        const std::string_view character = std::string_view(m_bytes).substr(offsets[index], length);
        if (!set.empty()) {
            return set.find(character) != std::string_view::npos;
        }
        const char32_t code = utf8::codePoint(character, 0, length);
        return utf8::isSpace(code) || (code >= 0x1C && code <= 0x1F);
    };
    std::size_t first = 0;
    std::size_t last = offsets.size() - 1;
    while (left && first < last && strips(first)) {
        ++first;
    }
    while (right && last > first && strips(last - 1)) {
        --last;
    }
    return slice(offsets[first], offsets[last] - offsets[first]);
}

} // namespace bathyscope::jinja
