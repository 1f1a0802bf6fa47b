// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/layer_load.h"

#include <cmath>

namespace bathyscope::ui {

LayerLoad layerLoad(const RoutingAggregate &aggregate, int layer)
{
    LayerLoad load;
    if (aggregate.tokens() == 0)
        return load;
    int dead = 0;
    for (int expert = 0; expert < aggregate.experts(); ++expert) {
        const double share = aggregate.share(layer, expert);
        if (share > load.largestShare) {
            load.largestShare = share;
            load.busiest = expert;
        }
        if (share > 0)
            load.entropy -= share * std::log2(share);
        else
            ++dead;
    }
    load.maxOverMean = load.largestShare * aggregate.experts();
    load.deadShare = static_cast<double>(dead) / aggregate.experts();
    return load;
}

} // namespace bathyscope::ui
