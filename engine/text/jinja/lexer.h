// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bathyscope::jinja {

struct Position {
    std::size_t line = 1;
    std::size_t column = 1; ///< in bytes
};

enum class TokenKind {
    Data,
    OutputBegin,
    OutputEnd,
    BlockBegin,
    BlockEnd,
    Name,
    String,
    Integer,
    Float,
    Operator,
    End
};

struct Token {
    TokenKind kind = TokenKind::End;
    std::string text; ///< of a string its value, of an operator its spelling
    Position position;
};

/// Cuts a template into tokens, white space control applied as Jinja2 does with trim_blocks and
/// lstrip_blocks on. Throws Error naming `name`, line and column.
std::vector<Token> tokenize(const std::string &source, const std::string &name);

/// "`name`:line:column: `message`", thrown as an Error.
[[noreturn]] void failAt(const std::string &name, const Position &position, const std::string &message);

} // namespace bathyscope::jinja
