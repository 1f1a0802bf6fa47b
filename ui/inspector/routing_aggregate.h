// SPDX-License-Identifier: GPL-3.0-or-later
//
// How often each expert of each MoE layer was chosen, kept up token by token.
#pragma once

#include "engine/records.h"

#include <cstdint>
#include <vector>

namespace bathyscope::ui {

class RoutingAggregate {
public:
    RoutingAggregate() = default;
    /// `layers` MoE layers of `experts` experts, of which a token uses `expertsPerToken` in every layer.
    RoutingAggregate(int layers, int experts, int expertsPerToken);

    /// Adds a token. One without routing, or of another shape, is left out and not counted.
    void add(const TokenRecord &record);

    [[nodiscard]] int layers() const { return m_layers; }
    [[nodiscard]] int experts() const { return m_experts; }
    [[nodiscard]] int tokens() const { return m_tokens; } ///< that were counted
    /// Tokens that chose the expert; `layer` counts the MoE layers.
    [[nodiscard]] std::uint32_t count(int layer, int expert) const;
    /// Of all choices in the layer, those that fell on the expert, 0…1; a layer's shares sum to 1.
    [[nodiscard]] double share(int layer, int expert) const;
    /// Mean weight of the expert over the tokens that chose it; 0 when none did.
    [[nodiscard]] double meanWeight(int layer, int expert) const;

    bool operator==(const RoutingAggregate &) const = default;

private:
    [[nodiscard]] std::size_t cell(int layer, int expert) const;

    int m_layers = 0;
    int m_experts = 0;
    int m_expertsPerToken = 0;
    int m_tokens = 0;
    std::vector<std::uint32_t> m_counts; ///< [layers, experts]
    std::vector<double> m_weights; ///< [layers, experts], summed
};

} // namespace bathyscope::ui
