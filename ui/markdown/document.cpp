// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/markdown/document.h"

#include <algorithm>

namespace bathyscope::ui::markdown {

namespace {

struct Character {
    char32_t code = 0xFFFD;
    int bytes = 1;
};

/// Bytes that a character beginning with `lead` has; 0 when none begins so.
int sequenceLength(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

bool isContinuation(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80;
}

Character decode(std::string_view utf8)
{
    const auto lead = static_cast<unsigned char>(utf8[0]);
    const int length = sequenceLength(lead);
    if (length == 0 || utf8.size() < static_cast<std::size_t>(length))
        return {};
    if (length == 1)
        return {lead == 0 ? U'\uFFFD' : static_cast<char32_t>(lead), 1};
    char32_t code = lead & (0x7FU >> length);
    for (int i = 1; i < length; ++i) {
        const char byte = utf8[static_cast<std::size_t>(i)];
        if (!isContinuation(byte))
            return {};
        code = (code << 6U) | (static_cast<unsigned char>(byte) & 0x3FU);
    }
    constexpr char32_t shortest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool valid = code >= shortest[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    return valid ? Character{code, length} : Character{};
}

Blocks singleBlock(Block::Kind kind, std::string_view utf8)
{
    if (utf8.empty())
        return {};
    Blocks blocks(1);
    blocks[0].kind = kind;
    blocks[0].append(utf8, 0);
    blocks[0].sourceEnd = utf8.size();
    return blocks;
}

} // namespace

void Block::append(std::string_view utf8, std::size_t offset)
{
    // No character has more units than bytes: room is made once and what is not needed given back.
    const qsizetype before = text.size();
    text.resize(before + static_cast<qsizetype>(utf8.size()));
    source.reserve(source.size() + utf8.size());
    QChar *const units = text.data();
    qsizetype size = before;
    for (std::size_t at = 0; at < utf8.size();) {
        const Character character = decode(utf8.substr(at));
        const auto begin = static_cast<std::uint32_t>(offset + at);
        const SourceRange range{begin, begin + static_cast<std::uint32_t>(character.bytes)};
        if (character.code < 0x10000) {
            units[size++] = QChar(static_cast<char16_t>(character.code));
        } else {
            units[size++] = QChar(QChar::highSurrogate(character.code));
            units[size++] = QChar(QChar::lowSurrogate(character.code));
            source.push_back(range);
        }
        source.push_back(range);
        at += static_cast<std::size_t>(character.bytes);
    }
    text.resize(size);
}

void Block::append(const QString &rendered, SourceRange range)
{
    text += rendered;
    source.insert(source.end(), static_cast<std::size_t>(rendered.size()), range);
}

int Block::unitAt(std::size_t offset) const
{
    const auto found =
        std::upper_bound(source.begin(), source.end(), offset,
                         [](std::size_t byte, const SourceRange &range) { return byte < range.end; });
    return static_cast<int>(found - source.begin());
}

std::size_t completeLength(std::string_view utf8)
{
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, utf8.size()); ++back) {
        const char byte = utf8[utf8.size() - back];
        if (isContinuation(byte))
            continue;
        const int length = sequenceLength(static_cast<unsigned char>(byte));
        return static_cast<std::size_t>(length) > back ? utf8.size() - back : utf8.size();
    }
    return utf8.size();
}

Blocks plainBlocks(std::string_view utf8)
{
    return singleBlock(Block::Kind::Plain, utf8);
}

Blocks rawBlocks(std::string_view utf8)
{
    return singleBlock(Block::Kind::Raw, utf8);
}

} // namespace bathyscope::ui::markdown
