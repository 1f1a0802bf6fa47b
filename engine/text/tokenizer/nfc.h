// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace bathyscope::nfc {

/// Normalization Form C of well-formed UTF-8 (Unicode Standard Annex 15). Linear but for long runs of
/// combining marks, which are sorted.
std::string normalised(std::string_view text);

} // namespace bathyscope::nfc
