// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/routing_aggregate.h"

#include <algorithm>

namespace bathyscope::ui {

RoutingAggregate::RoutingAggregate(int layers, int experts, int expertsPerToken)
    : m_layers(std::max(0, layers))
    , m_experts(std::max(0, experts))
    , m_expertsPerToken(std::max(0, expertsPerToken))
    , m_counts(static_cast<std::size_t>(m_layers) * static_cast<std::size_t>(m_experts))
    , m_weights(m_counts.size())
{
}

std::size_t RoutingAggregate::cell(int layer, int expert) const
{
    return static_cast<std::size_t>(layer) * static_cast<std::size_t>(m_experts)
        + static_cast<std::size_t>(expert);
}

void RoutingAggregate::add(const TokenRecord &record)
{
    const auto perLayer = static_cast<std::size_t>(m_expertsPerToken);
    if (perLayer == 0 || record.experts.size() != static_cast<std::size_t>(m_layers) * perLayer)
        return;
    for (const ExpertChoice &choice : record.experts)
        if (choice.expert >= m_experts)
            return;
    for (std::size_t i = 0; i < record.experts.size(); ++i) {
        const ExpertChoice &choice = record.experts[i];
        const std::size_t at = cell(static_cast<int>(i / perLayer), choice.expert);
        ++m_counts[at];
        m_weights[at] += choice.weight;
    }
    ++m_tokens;
}

std::uint32_t RoutingAggregate::count(int layer, int expert) const
{
    return m_counts[cell(layer, expert)];
}

double RoutingAggregate::share(int layer, int expert) const
{
    const double choices = static_cast<double>(m_tokens) * m_expertsPerToken;
    return choices > 0 ? count(layer, expert) / choices : 0;
}

double RoutingAggregate::meanWeight(int layer, int expert) const
{
    const std::uint32_t chosen = count(layer, expert);
    return chosen > 0 ? m_weights[cell(layer, expert)] / chosen : 0;
}

} // namespace bathyscope::ui
