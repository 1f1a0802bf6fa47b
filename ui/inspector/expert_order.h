// SPDX-License-Identifier: GPL-3.0-or-later
//
// In which order the experts of a layer are drawn. Experts of different layers have nothing to do with each
// other, so every layer has an order of its own.
#pragma once

#include "ui/inspector/routing_aggregate.h"
#include "ui/model/chat_message.h"

#include <cstdint>
#include <vector>

namespace bathyscope::ui {

/// Place by place, the experts of all MoE layers: [layers, experts]. Empty: by number.
using ExpertOrder = std::vector<std::uint16_t>;

/// The most chosen first; by number where they tie.
ExpertOrder orderByLoad(const RoutingAggregate &aggregate);

/// How often pairs of experts were chosen for the same token, kept up token by token.
class CoActivation {
public:
    CoActivation() = default;
    CoActivation(int layers, int experts, int expertsPerToken);

    void add(const TokenRecord &record); ///< one of another shape is left out
    [[nodiscard]] int tokens() const { return m_tokens; }
    /// Tokens that chose both; of an expert with itself, those that chose it.
    [[nodiscard]] std::uint32_t count(int layer, int first, int second) const;

    /// Experts that are chosen together side by side: agglomerative clustering with average linkage of the
    /// distance 1 - |both| / |either| (Jaccard), leaves in the order of joining, the part that was chosen
    /// more before the other. The same counts give the same order. O(experts²) a layer.
    [[nodiscard]] ExpertOrder order() const;

private:
    [[nodiscard]] std::vector<float> distances(int layer) const;

    int m_layers = 0;
    int m_experts = 0;
    int m_expertsPerToken = 0;
    int m_tokens = 0;
    std::vector<std::uint32_t> m_counts; ///< [layers, experts, experts]; the upper triangle is in use
};

} // namespace bathyscope::ui
