// SPDX-License-Identifier: GPL-3.0-or-later
//
// The Unicode Character Database as far as canonical composition needs it; Hangul is computed instead.
#pragma once

#include <cstdint>
#include <span>

namespace bathyscope::nfc {

struct Decomposition {
    char32_t code = 0;
    char32_t first = 0;
    char32_t second = 0; ///< 0: a single character
    bool composes = false; ///< the pair may also be put together again
};

struct CombiningRange {
    char32_t first = 0;
    char32_t last = 0;
    std::uint8_t combiningClass = 0;
};

/// By ascending code point.
std::span<const Decomposition> decompositions();

/// By ascending code point; all others have class 0.
std::span<const CombiningRange> combiningRanges();

} // namespace bathyscope::nfc
