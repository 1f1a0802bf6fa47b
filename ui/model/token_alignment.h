// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

#include <span>
#include <vector>

namespace bathyscope::ui {

/// Tokens of two replies that stand beside each other: indices, -1 where one has none.
struct AlignedTokens {
    int left = -1;
    int right = -1;

    bool operator==(const AlignedTokens &) const = default;
};

/// Sets two replies side by side from token `from` on, so that as many equal tokens as can be stand beside
/// each other (a longest common subsequence); what differs in between is paired by its place. Replies too
/// long for that, from a few thousand tokens, are paired by place after what they have in common at the end.
std::vector<AlignedTokens> alignTokens(std::span<const TokenRecord> left, std::span<const TokenRecord> right,
                                       int from);

} // namespace bathyscope::ui
