// SPDX-License-Identifier: GPL-3.0-or-later
//
// How evenly the experts of a layer share the work.
#pragma once

#include "ui/inspector/routing_aggregate.h"

namespace bathyscope::ui {

struct LayerLoad {
    int busiest = 0; ///< the expert that was chosen most; the lowest of those that tie
    double largestShare = 0; ///< of all choices in the layer, 0…1
    double maxOverMean = 0; ///< 1: even; the number of experts: always the same one
    double entropy = 0; ///< of the shares, bits; log2(experts): even
    double deadShare = 0; ///< of the experts, those that no token chose, 0…1
};

/// `layer` counts the MoE layers. All zero before a token was counted.
LayerLoad layerLoad(const RoutingAggregate &aggregate, int layer);

} // namespace bathyscope::ui
