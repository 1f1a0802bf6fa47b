// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bathyscope::utf8 {

/// Length in bytes of the well-formed character at `text[at]`; 0 when the bytes there are malformed
/// (overlong, a surrogate, beyond U+10FFFF, truncated).
std::size_t characterLength(std::string_view text, std::size_t at);

/// The code point of a character whose length characterLength() returned.
char32_t codePoint(std::string_view text, std::size_t at, std::size_t length);

/// Appends a code point. Surrogates and values beyond U+10FFFF become U+FFFD.
void append(std::string &text, char32_t codePoint);

bool isValid(std::string_view text);

/// `text` with every malformed byte replaced by U+FFFD.
std::string sanitised(std::string_view text);

/// Python's str.isspace() and Rust's char::is_whitespace() for one code point, without U+001C…U+001F.
bool isSpace(char32_t codePoint);

} // namespace bathyscope::utf8
