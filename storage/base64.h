// SPDX-License-Identifier: GPL-3.0-or-later
//
// Bytes as text (RFC 4648, section 4), and which bytes are text already.
#pragma once

#include <string>
#include <string_view>

namespace bathyscope::storage {

[[nodiscard]] std::string toBase64(std::string_view bytes);
/// Throws Error for text that is none.
[[nodiscard]] std::string fromBase64(std::string_view text);

/// Well-formed UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] bool isUtf8(std::string_view bytes);

} // namespace bathyscope::storage
