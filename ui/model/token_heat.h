// SPDX-License-Identifier: GPL-3.0-or-later
//
// How text is coloured by what the model thought of its tokens.
#pragma once

#include "engine/records.h"

#include <QString>

namespace bathyscope::ui {

enum class ColorBy : std::uint8_t { Nothing, Probability, Surprisal, Entropy, Rank };

/// 0 (as expected) to 1 (at or beyond the end of the scale). Surprisal ends at 8 bit, entropy (derived from
/// the candidates) at 4 bit, rank (logarithmic) behind the 20th; probability runs from 1 down to 0. A token
/// of which nothing was recorded has 0.
double tokenHeat(const TokenRecord &record, ColorBy by);

/// What the scale is of, and its two ends, for people.
struct TokenScale {
    QString name;
    QString least;
    QString most;
};
TokenScale tokenScale(ColorBy by);

} // namespace bathyscope::ui
