// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/expert_order.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace bathyscope::ui {

namespace {

/// A set of experts that were joined.
struct Cluster {
    std::vector<std::uint16_t> experts; ///< in the order in which they will be drawn
    std::uint64_t load = 0; ///< choices of all of them
};

/// Agglomerative clustering of `clusters` by `distances` [n, n] along chains of nearest neighbours: two that
/// are each other's nearest are joined (Murtagh 1983). Leaves one cluster.
class Agglomeration {
public:
    Agglomeration(std::vector<Cluster> clusters, std::vector<float> distances)
        : m_clusters(std::move(clusters))
        , m_distances(std::move(distances))
        , m_alive(m_clusters.size())
    {
        std::iota(m_alive.begin(), m_alive.end(), std::size_t(0));
    }

    std::vector<std::uint16_t> run()
    {
        std::vector<std::size_t> chain;
        while (m_alive.size() > 1) {
            if (chain.empty())
                chain.push_back(m_alive.front());
            const std::size_t last = chain.back();
            // Where they tie, the one before in the chain: a chain must come to an end.
            const std::size_t next = nearest(last, chain.size() > 1 ? chain[chain.size() - 2] : last);
            if (chain.size() > 1 && next == chain[chain.size() - 2]) {
                chain.resize(chain.size() - 2);
                join(std::min(last, next), std::max(last, next));
            } else {
                chain.push_back(next);
            }
        }
        return m_alive.empty() ? std::vector<std::uint16_t>() : m_clusters[m_alive.front()].experts;
    }

private:
    float &distance(std::size_t a, std::size_t b) { return m_distances[a * m_clusters.size() + b]; }

    std::size_t nearest(std::size_t from, std::size_t preferred)
    {
        std::size_t best = preferred;
        float least = preferred == from ? std::numeric_limits<float>::infinity() : distance(from, preferred);
        for (const std::size_t other : m_alive) {
            if (other != from && distance(from, other) < least) {
                least = distance(from, other);
                best = other;
            }
        }
        return best;
    }

    /// `second` becomes a part of `first`; distances by the rule of Lance and Williams for average linkage.
    void join(std::size_t first, std::size_t second)
    {
        Cluster &a = m_clusters[first];
        Cluster &b = m_clusters[second];
        const auto sizeA = static_cast<float>(a.experts.size());
        const auto sizeB = static_cast<float>(b.experts.size());
        for (const std::size_t other : m_alive) {
            const float mean =
                (sizeA * distance(first, other) + sizeB * distance(second, other)) / (sizeA + sizeB);
            distance(first, other) = distance(other, first) = mean;
        }
        if (b.load > a.load)
            std::swap(a.experts, b.experts);
        a.experts.insert(a.experts.end(), b.experts.begin(), b.experts.end());
        a.load += b.load;
        std::erase(m_alive, second);
    }

    std::vector<Cluster> m_clusters;
    std::vector<float> m_distances;
    std::vector<std::size_t> m_alive; ///< clusters that are no part of another one
};

} // namespace

ExpertOrder orderByLoad(const RoutingAggregate &aggregate)
{
    const int experts = aggregate.experts();
    ExpertOrder order(static_cast<std::size_t>(aggregate.layers() * experts));
    for (int layer = 0; layer < aggregate.layers(); ++layer) {
        const auto begin = order.begin() + layer * experts;
        std::iota(begin, begin + experts, std::uint16_t(0));
        std::stable_sort(begin, begin + experts, [&](std::uint16_t a, std::uint16_t b) {
            return aggregate.count(layer, a) > aggregate.count(layer, b);
        });
    }
    return order;
}

CoActivation::CoActivation(int layers, int experts, int expertsPerToken)
    : m_layers(std::max(0, layers))
    , m_experts(std::max(0, experts))
    , m_expertsPerToken(std::max(0, expertsPerToken))
    , m_counts(static_cast<std::size_t>(m_layers) * static_cast<std::size_t>(m_experts)
               * static_cast<std::size_t>(m_experts))
{
}

void CoActivation::add(const TokenRecord &record)
{
    const auto k = static_cast<std::size_t>(m_expertsPerToken);
    const auto n = static_cast<std::size_t>(m_experts);
    if (k == 0 || record.experts.size() != static_cast<std::size_t>(m_layers) * k)
        return;
    for (const ExpertChoice &choice : record.experts)
        if (choice.expert >= m_experts)
            return;
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(m_layers); ++layer) {
        const ExpertChoice *choices = record.experts.data() + layer * k;
        std::uint32_t *counts = m_counts.data() + layer * n * n;
        for (std::size_t i = 0; i < k; ++i)
            for (std::size_t j = i; j < k; ++j) // choices are ascending
                ++counts[choices[i].expert * n + choices[j].expert];
    }
    ++m_tokens;
}

std::uint32_t CoActivation::count(int layer, int first, int second) const
{
    const auto n = static_cast<std::size_t>(m_experts);
    const auto [low, high] = std::minmax({static_cast<std::size_t>(first), static_cast<std::size_t>(second)});
    return m_counts[(static_cast<std::size_t>(layer) * n + low) * n + high];
}

std::vector<float> CoActivation::distances(int layer) const
{
    const auto n = static_cast<std::size_t>(m_experts);
    std::vector<float> result(n * n);
    for (int a = 0; a < m_experts; ++a) {
        for (int b = a + 1; b < m_experts; ++b) {
            const std::uint32_t both = count(layer, a, b);
            const std::uint32_t either = count(layer, a, a) + count(layer, b, b) - both;
            const float value =
                either == 0 ? 1.0F : 1.0F - static_cast<float>(both) / static_cast<float>(either);
            result[static_cast<std::size_t>(a) * n + static_cast<std::size_t>(b)] = value;
            result[static_cast<std::size_t>(b) * n + static_cast<std::size_t>(a)] = value;
        }
    }
    return result;
}

ExpertOrder CoActivation::order() const
{
    ExpertOrder order;
    for (int layer = 0; layer < m_layers; ++layer) {
        std::vector<Cluster> clusters;
        for (int expert = 0; expert < m_experts; ++expert)
            clusters.push_back({{static_cast<std::uint16_t>(expert)}, count(layer, expert, expert)});
        const auto places = Agglomeration(std::move(clusters), distances(layer)).run();
        order.insert(order.end(), places.begin(), places.end());
    }
    return order;
}

} // namespace bathyscope::ui
