// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/token_display.h"

#include <QByteArray>
#include <QChar>
#include <QCoreApplication>

#include <cstdint>

namespace bathyscope::ui {

namespace {

struct Decoded {
    char32_t character = 0;
    std::size_t length = 0; ///< bytes; 0: no whole UTF-8 character begins here
};

Decoded decodeOne(std::string_view bytes)
{
    const auto first = static_cast<std::uint8_t>(bytes.front());
    if (first < 0x80)
        return {first, 1};
    const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || bytes.size() < length)
        return {};
    char32_t character = first & (0x7F >> length);
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<std::uint8_t>(bytes[i]);
        if ((next & 0xC0) != 0x80)
            return {};
        character = (character << 6) | (next & 0x3F);
    }
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (character < smallest[length] || surrogate || character > 0x10FFFF)
        return {};
    return {character, length};
}

bool isInvisible(char32_t character)
{
    switch (QChar::category(character)) {
    case QChar::Other_Control:
    case QChar::Other_Format:
    case QChar::Other_NotAssigned:
    case QChar::Other_PrivateUse:
    case QChar::Separator_Space:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph:
        return true;
    default:
        return false;
    }
}

QString visibleCharacter(char32_t character)
{
    switch (character) {
    case U' ':
        return QStringLiteral("␣");
    case U'\n':
        return QStringLiteral("↵");
    case U'\t':
        return QStringLiteral("⇥");
    default:
        break;
    }
    if (isInvisible(character))
        return QStringLiteral("⟨U+%1⟩").arg(static_cast<uint>(character), 4, 16, QLatin1Char('0')).toUpper();
    return QString::fromUcs4(&character, 1);
}

} // namespace

QString placedToken(const TokenRecord &record, int token)
{
    return QCoreApplication::translate("bathyscope::ui", "%1 at %2")
        .arg(visibleToken(record.bytes))
        .arg(token + 1);
}

QString hexBytes(std::string_view bytes)
{
    const auto size = static_cast<qsizetype>(bytes.size());
    return QString::fromLatin1(QByteArray::fromRawData(bytes.data(), size).toHex(' ')).toUpper();
}

QString visibleToken(std::string_view bytes)
{
    QString result;
    std::size_t rawBegin = 0; // bytes from here to `at` await the hexadecimal form
    std::size_t at = 0;
    const auto flushRaw = [&] {
        if (rawBegin < at)
            result += QStringLiteral("⟨%1⟩").arg(hexBytes(bytes.substr(rawBegin, at - rawBegin)));
    };
    while (at < bytes.size()) {
        const Decoded decoded = decodeOne(bytes.substr(at));
        const bool spelled = decoded.character == U'\n' || decoded.character == U'\t';
        if (decoded.length == 0 || (decoded.character < 0x20 && !spelled) || decoded.character == 0x7F) {
            ++at;
            continue;
        }
        flushRaw();
        result += visibleCharacter(decoded.character);
        at += decoded.length;
        rawBegin = at;
    }
    flushRaw();
    return result.isEmpty() ? QStringLiteral("⟨⟩") : result;
}

} // namespace bathyscope::ui
