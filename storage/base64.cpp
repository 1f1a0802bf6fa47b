// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/base64.h"

#include "engine/error.h"

#include <cstdint>

namespace bathyscope::storage {

namespace {
constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
}

std::string toBase64(std::string_view bytes)
{
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::string_view group = bytes.substr(i, 3);
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 3; ++k)
            bits = bits << 8U | (k < group.size() ? static_cast<unsigned char>(group[k]) : 0U);
        for (std::size_t k = 0; k < 4; ++k)
            text += k <= group.size() ? kDigits[bits >> (18U - 6U * k) & 63U] : '=';
    }
    return text;
}

std::string fromBase64(std::string_view text)
{
    if (text.size() % 4 != 0)
        throw Error("base64: expected groups of four characters");
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); i += 4) {
        std::string_view group = text.substr(i, 4);
        if (i + 4 == text.size())
            group = group.substr(0, group.find('='));
        if (group.size() < 2)
            throw Error("base64: expected two to four digits in a group");
        std::uint32_t bits = 0;
        for (std::size_t k = 0; k < 4; ++k) {
            const std::size_t digit = k < group.size() ? kDigits.find(group[k]) : 0;
            if (digit == std::string_view::npos)
                throw Error("base64: expected letters, digits, + and /");
            bits = bits << 6U | static_cast<std::uint32_t>(digit);
        }
        for (std::size_t k = 0; k + 1 < group.size(); ++k)
            bytes += static_cast<char>(static_cast<unsigned char>(bits >> (16U - 8U * k)));
    }
    return bytes;
}

bool isUtf8(std::string_view bytes)
{
    for (std::size_t i = 0; i < bytes.size();) {
        const auto lead = static_cast<unsigned char>(bytes[i]);
        const std::size_t size = lead < 0x80 ? 1
            : lead < 0xC2                    ? 0
            : lead < 0xE0                    ? 2
            : lead < 0xF0                    ? 3
            : lead < 0xF5                    ? 4
                                             : 0;
        if (size == 0 || i + size > bytes.size())
            return false;
        for (std::size_t k = 1; k < size; ++k)
            if ((static_cast<unsigned char>(bytes[i + k]) & 0xC0U) != 0x80)
                return false;
        const auto second = size > 1 ? static_cast<unsigned char>(bytes[i + 1]) : 0;
        if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F)
            || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F))
            return false;
        i += size;
    }
    return true;
}

} // namespace bathyscope::storage
