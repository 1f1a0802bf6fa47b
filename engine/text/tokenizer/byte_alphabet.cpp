// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/byte_alphabet.h"

#include "engine/text/tokenizer/utf8.h"

#include <array>

namespace bathyscope {

namespace {

/// Byte by code point: printable Latin-1 stands for itself, the other bytes follow from U+0100 on.
constexpr std::array<int, 324> makeTable()
{
    std::array<int, 324> table{};
    for (int &entry : table) {
        entry = -1;
    }
    std::size_t next = 256;
    for (int byte = 0; byte < 256; ++byte) {
        const bool printable =
            (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
        table[printable ? static_cast<std::size_t>(byte) : next++] = byte;
    }
    return table;
}

constexpr auto byteByCodePoint = makeTable();

} // namespace

std::optional<std::string> fromByteAlphabet(std::string_view text)
{
    std::string bytes;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8::characterLength(text, at);
        const char32_t code = length == 0 ? 0 : utf8::codePoint(text, at, length);
        if (code >= byteByCodePoint.size() || byteByCodePoint[code] < 0) {
            return std::nullopt;
        }
        bytes += static_cast<char>(byteByCodePoint[code]);
        at += length;
    }
    return bytes;
}

} // namespace bathyscope
