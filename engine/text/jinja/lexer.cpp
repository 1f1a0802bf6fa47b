// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/jinja/lexer.h"

#include "engine/error.h"
#include "engine/text/tokenizer/utf8.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace bathyscope::jinja {

namespace {

constexpr std::string_view blanks = " \t\n\r\f\v";

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}
bool isNameStart(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool isBlank(char c)
{
    return blanks.find(c) != std::string_view::npos;
}

/// Python's line ends become "\n", and one at the very end is dropped, as Jinja2 does.
std::string withPlainLineEnds(const std::string &source)
{
    std::string result;
    result.reserve(source.size());
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source[i] != '\r') {
            result += source[i];
        } else if (i + 1 >= source.size() || source[i + 1] != '\n') {
            result += '\n';
        }
    }
    if (!result.empty() && result.back() == '\n') {
        result.pop_back();
    }
    return result;
}

class Lexer {
public:
    Lexer(const std::string &source, const std::string &name)
        : m_source(withPlainLineEnds(source))
        , m_name(name)
    {
    }

    std::vector<Token> run()
    {
        while (m_at < m_source.size()) {
            lexData();
        }
        push(TokenKind::End, "");
        return std::move(m_tokens);
    }

private:
    [[noreturn]] void fail(const std::string &message) { failAt(m_name, position(), message); }

    Position position()
    {
        for (; m_counted < m_at; ++m_counted) {
            if (m_source[m_counted] == '\n') {
                ++m_position.line;
                m_position.column = 1;
            } else {
                ++m_position.column;
            }
        }
        return m_position;
    }

    [[nodiscard]] bool startsWith(std::string_view text) const
    {
        return std::string_view(m_source).substr(m_at, text.size()) == text;
    }

    void push(TokenKind kind, std::string text) { m_tokens.push_back({kind, std::move(text), position()}); }

    void skipBlanks()
    {
        while (m_at < m_source.size() && isBlank(m_source[m_at])) {
            ++m_at;
        }
    }

    /// Text up to the next tag, then the tag.
    void lexData()
    {
        std::size_t tag = m_source.find('{', m_at);
        while (tag != std::string::npos && tag + 1 < m_source.size()
               && std::string_view("{%#").find(m_source[tag + 1]) == std::string_view::npos) {
            tag = m_source.find('{', tag + 1);
        }
        if (tag == std::string::npos || tag + 1 >= m_source.size()) {
            pushData(m_source.substr(m_at));
            m_at = m_source.size();
            return;
        }
        const char kind = m_source[tag + 1];
        const char sign = tag + 2 < m_source.size() ? m_source[tag + 2] : '\0';
        pushData(beforeTag(tag, kind, sign));
        m_at = tag + 2 + (sign == '-' || sign == '+' ? 1 : 0);
        if (kind == '#') {
            skipComment();
        } else if (kind == '{') {
            push(TokenKind::OutputBegin, "");
            lexCode("}}", TokenKind::OutputEnd);
        } else if (!skipRaw()) {
            push(TokenKind::BlockBegin, "");
            lexCode("%}", TokenKind::BlockEnd);
        }
    }

    void pushData(std::string text)
    {
        if (!text.empty()) {
            push(TokenKind::Data, std::move(text));
        }
    }

    /// The text before a tag, less what its sign or lstrip_blocks takes away.
    [[nodiscard]] std::string beforeTag(std::size_t tag, char kind, char sign) const
    {
        std::string text = m_source.substr(m_at, tag - m_at);
        if (sign == '-') {
            text.erase(text.find_last_not_of(blanks) + 1);
        } else if (sign != '+' && kind != '{') {
            const std::size_t line = text.rfind('\n') + 1;
            const bool startsLine = line > 0 || m_at == 0 || m_source[m_at - 1] == '\n';
            if (startsLine && text.find_first_not_of(blanks, line) == std::string::npos) {
                text.erase(line);
            }
        }
        return text;
    }

    /// Passes the end of a tag at the current place and the white space that belongs to it.
    bool takeTagEnd(std::string_view end)
    {
        const bool hasSign = startsWith("-") || (startsWith("+") && end != "}}");
        const char sign = hasSign ? m_source[m_at] : '\0';
        if (std::string_view(m_source).substr(m_at + (hasSign ? 1 : 0), end.size()) != end) {
            return false;
        }
        m_at += end.size() + (hasSign ? 1 : 0);
        if (sign == '-') {
            skipBlanks();
        } else if (sign != '+' && end != "}}" && startsWith("\n")) {
            ++m_at;
        }
        return true;
    }

    void skipComment()
    {
        const std::size_t end = m_source.find("#}", m_at);
        if (end == std::string::npos) {
            fail("the comment has no end");
        }
        const bool hasSign = end > m_at && (m_source[end - 1] == '-' || m_source[end - 1] == '+');
        m_at = end - (hasSign ? 1 : 0);
        takeTagEnd("#}");
    }

    /// `{% raw %}`: everything up to `{% endraw %}` is text.
    bool skipRaw()
    {
        const std::size_t begin = m_at;
        skipBlanks();
        if (!startsWith("raw")) {
            m_at = begin;
            return false;
        }
        m_at += 3;
        skipBlanks();
        if (!takeTagEnd("%}")) {
            m_at = begin;
            return false;
        }
        for (std::size_t tag = m_source.find("{%", m_at); tag != std::string::npos;
             tag = m_source.find("{%", tag + 2)) {
            const char sign = tag + 2 < m_source.size() ? m_source[tag + 2] : '\0';
            const std::string text = beforeTag(tag, '%', sign);
            const std::size_t start = m_at;
            m_at = tag + 2 + (sign == '-' || sign == '+' ? 1 : 0);
            skipBlanks();
            if (startsWith("endraw")) {
                m_at += 6;
                skipBlanks();
                if (takeTagEnd("%}")) {
                    pushData(text);
                    return true;
                }
            }
            m_at = start;
        }
        fail("raw has no endraw");
    }

    void lexCode(std::string_view end, TokenKind endKind)
    {
        std::size_t braces = 0;
        for (;;) {
            skipBlanks();
            if (m_at >= m_source.size()) {
                fail(fmt::format("expected \"{}\", found the end of the template", end));
            }
            if (braces == 0) {
                const Position start = position();
                if (takeTagEnd(end)) {
                    m_tokens.push_back({endKind, "", start});
                    return;
                }
            }
            const char c = m_source[m_at];
            if (c == '\'' || c == '"') {
                lexString(c);
            } else if (isDigit(c)) {
                lexNumber();
            } else if (isNameStart(c)) {
                lexName();
            } else {
                braces += std::string_view("{[(").find(c) != std::string_view::npos ? 1U : 0U;
                if (std::string_view("}])").find(c) != std::string_view::npos && braces > 0) {
                    --braces;
                }
                lexOperator();
            }
        }
    }

    void lexName()
    {
        std::size_t end = m_at;
        while (end < m_source.size() && (isNameStart(m_source[end]) || isDigit(m_source[end]))) {
            ++end;
        }
        push(TokenKind::Name, m_source.substr(m_at, end - m_at));
        m_at = end;
    }

    void lexNumber()
    {
        std::string digits;
        std::size_t end = m_at;
        TokenKind kind = TokenKind::Integer;
        const auto takeDigits = [&] {
            for (; end < m_source.size() && (isDigit(m_source[end]) || m_source[end] == '_'); ++end) {
                if (m_source[end] != '_') {
                    digits += m_source[end];
                }
            }
        };
        const auto digitAt = [&](std::size_t at) { return at < m_source.size() && isDigit(m_source[at]); };
        takeDigits();
        if (end < m_source.size() && m_source[end] == '.' && digitAt(end + 1)) {
            kind = TokenKind::Float;
            digits += m_source[end++];
            takeDigits();
        }
        if (end < m_source.size() && (m_source[end] == 'e' || m_source[end] == 'E')) {
            const bool hasSign =
                end + 1 < m_source.size() && (m_source[end + 1] == '+' || m_source[end + 1] == '-');
            if (digitAt(end + (hasSign ? 2 : 1))) {
                kind = TokenKind::Float;
                digits += m_source.substr(end, hasSign ? 2 : 1);
                end += hasSign ? 2 : 1;
                takeDigits();
            }
        }
        push(kind, digits);
        m_at = end;
    }

    void lexOperator()
    {
        static constexpr std::array<std::string_view, 30> operators = {
            "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">", "=",
            "(",  ")",  "[",  "]",  "{",  "}",  ",", ".", ":", "|", ";", "!", "&", "^", "@"};
        const auto found = std::find_if(operators.begin(), operators.end(),
                                        [&](std::string_view text) { return startsWith(text); });
        if (found == operators.end()) {
            fail(fmt::format("unexpected character '{}'", m_source[m_at]));
        }
        push(TokenKind::Operator, std::string(*found));
        m_at += found->size();
    }

    void lexString(char quote)
    {
        const Position start = position();
        std::string value;
        for (++m_at; m_at < m_source.size() && m_source[m_at] != quote; ++m_at) {
            if (m_source[m_at] == '\\' && m_at + 1 < m_source.size()) {
                ++m_at;
                lexEscape(value);
            } else {
                value += m_source[m_at];
            }
        }
        if (m_at >= m_source.size()) {
            failAt(m_name, start, "the string has no end");
        }
        ++m_at;
        m_tokens.push_back({TokenKind::String, std::move(value), start});
    }

    /// A Python escape sequence; the current character is the one behind the backslash.
    void lexEscape(std::string &value)
    {
        static constexpr std::string_view simple = "n\nt\tr\rb\bf\fv\va\a\\\\''\"\"";
        const char c = m_source[m_at];
        const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        if (digits > 0) {
            char32_t code = 0;
            for (std::size_t i = 1; i <= digits; ++i) {
                const std::size_t digit = m_at + i < m_source.size()
                    ? std::string_view("0123456789abcdefABCDEF").find(m_source[m_at + i])
                    : std::string_view::npos;
                if (digit == std::string_view::npos) {
                    fail("the escape sequence is not complete");
                }
                code = code * 16 + static_cast<char32_t>(digit > 15 ? digit - 6 : digit);
            }
            utf8::append(value, code);
            m_at += digits;
            return;
        }
        for (std::size_t i = 0; i < simple.size(); i += 2) {
            if (simple[i] == c) {
                value += simple[i + 1];
                return;
            }
        }
        if (c != '\n') {
            value += '\\';
            value += c;
        }
    }

    std::string m_source;
    const std::string &m_name;
    std::size_t m_at = 0;
    std::size_t m_counted = 0; ///< m_position is that of this byte
    Position m_position;
    std::vector<Token> m_tokens;
};

} // namespace

void failAt(const std::string &name, const Position &position, const std::string &message)
{
    throw Error(fmt::format("{}:{}:{}: {}", name, position.line, position.column, message));
}

std::vector<Token> tokenize(const std::string &source, const std::string &name)
{
    return Lexer(source, name).run();
}

} // namespace bathyscope::jinja
