// SPDX-License-Identifier: GPL-3.0-or-later
//
// Surprisal, entropy and perplexity of the tokens of a reply. Derived from recorded log-probabilities.
#pragma once

#include "engine/records.h"

#include <span>
#include <vector>

namespace bathyscope::ui {

/// −log₂ of the probability that the model gave the token, in bits.
double surprisalOf(const TokenRecord &record);

/// Rank of the token among its candidates, from 1; one more than there are candidates when it is not among
/// them; 0 when none were recorded.
int rankAmongCandidates(const TokenRecord &record);

/// Of some tokens together. Markers count: the model chose them, too.
struct TextScore {
    int tokens = 0; ///< whose probability is known
    double bits = 0; ///< surprisal of all together

    void add(const TokenRecord &record);
    [[nodiscard]] double bitsPerToken() const { return tokens > 0 ? bits / tokens : 0; }
    [[nodiscard]] double perplexity() const; ///< 2 to the bits per token
};

TextScore scoreOf(std::span<const TokenRecord> tokens);
/// Of the tokens of one section; markers of none.
TextScore scoreOf(std::span<const TokenRecord> tokens, Section section);

} // namespace bathyscope::ui
