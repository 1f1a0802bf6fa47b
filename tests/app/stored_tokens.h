// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

#include <cmath>
#include <vector>

namespace bathyscope::app {

/// Whether `stored` is what the history gives back for `live`: everything exactly, but for the
/// log-probabilities of candidates and the weights of experts, which are kept as half-precision numbers.
inline bool isWhatWasStored(const std::vector<TokenRecord> &stored, std::vector<TokenRecord> live)
{
    const auto adopt = [](float &value, float kept) {
        if (std::fabs(kept - value) <= std::fabs(value) / 2048.0F + 0x1p-24F)
            value = kept;
    };
    if (stored.size() != live.size())
        return false;
    for (std::size_t t = 0; t < live.size(); ++t) {
        if (stored[t].top.size() != live[t].top.size() || stored[t].experts.size() != live[t].experts.size())
            return false;
        for (std::size_t i = 0; i < live[t].top.size(); ++i)
            adopt(live[t].top[i].logProb, stored[t].top[i].logProb);
        for (std::size_t i = 0; i < live[t].experts.size(); ++i)
            adopt(live[t].experts[i].weight, stored[t].experts[i].weight);
    }
    return stored == live;
}

} // namespace bathyscope::app
