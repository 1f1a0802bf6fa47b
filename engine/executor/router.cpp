// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/router.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bathyscope {

namespace {
constexpr float minusInfinity = -std::numeric_limits<float>::infinity();
}

Router::Router(const MoeConfig &config)
    : m_config(config)
    , m_scores(static_cast<std::size_t>(config.nRoutedExperts))
    , m_ranking(m_scores.size())
    , m_groups(static_cast<std::size_t>(config.nGroup))
{
}

void Router::choose(std::span<const float> logits, std::span<const float> bias, std::span<ExpertChoice> out)
{
    const std::size_t n = m_scores.size();
    if (m_config.scoring == ScoringFunction::Sigmoid) {
        for (std::size_t e = 0; e < n; ++e)
            m_scores[e] = 1.0F / (1.0F + std::exp(-logits[e]));
    } else {
        const float maximum = *std::max_element(logits.begin(), logits.end());
        float sum = 0;
        for (std::size_t e = 0; e < n; ++e)
            sum += m_scores[e] = std::exp(logits[e] - maximum);
        for (float &score : m_scores)
            score /= sum;
    }
    for (std::size_t e = 0; e < n; ++e)
        m_ranking[e] = m_scores[e] + (bias.empty() ? 0.0F : bias[e]);
    if (isLimitedToGroups())
        limitToGroups();
    pick(out);
}

RouterDecision Router::explain(std::int32_t layer, std::span<const float> logits, std::span<const float> bias)
{
    RouterDecision decision;
    decision.layer = layer;
    decision.scoring = m_config.scoring == ScoringFunction::Sigmoid ? "sigmoid" : "softmax";
    decision.chosen.resize(static_cast<std::size_t>(m_config.numExpertsPerTok));
    choose(logits, bias, decision.chosen);
    decision.scores = m_scores;
    decision.bias.assign(bias.begin(), bias.end());
    decision.groups = isLimitedToGroups() ? m_config.nGroup : 1;
    decision.keptGroups = {0};
    if (isLimitedToGroups()) {
        decision.keptGroups.resize(static_cast<std::size_t>(m_config.topkGroup));
        std::transform(m_groups.begin(), m_groups.begin() + m_config.topkGroup, decision.keptGroups.begin(),
                       [](const auto &group) { return group.second; });
        std::sort(decision.keptGroups.begin(), decision.keptGroups.end());
    }
    return decision;
}

bool Router::isLimitedToGroups() const
{
    return m_config.topkMethod != TopkMethod::Greedy && m_config.topkGroup < m_config.nGroup;
}

void Router::limitToGroups()
{
    const auto size = static_cast<std::size_t>(m_config.nRoutedExperts / m_config.nGroup);
    const bool sumOfTwo = m_config.topkMethod == TopkMethod::NoauxTc;
    for (std::size_t g = 0; g < m_groups.size(); ++g) {
        float first = minusInfinity;
        float second = minusInfinity;
        for (std::size_t e = g * size; e < (g + 1) * size; ++e) {
            const float value = m_ranking[e];
            second = std::max(second, std::min(first, value));
            first = std::max(first, value);
        }
        m_groups[g] = {sumOfTwo ? -(first + second) : -first, static_cast<std::int32_t>(g)};
    }
    std::sort(m_groups.begin(), m_groups.end()); // best first; the lower group where they tie
    for (auto i = static_cast<std::size_t>(m_config.topkGroup); i < m_groups.size(); ++i) {
        const auto begin = m_ranking.begin() + m_groups[i].second * static_cast<std::ptrdiff_t>(size);
        std::fill(begin, begin + static_cast<std::ptrdiff_t>(size), minusInfinity);
    }
}

void Router::pick(std::span<ExpertChoice> out)
{
    for (ExpertChoice &choice : out) {
        const auto best = std::max_element(m_ranking.begin(), m_ranking.end());
        *best = minusInfinity;
        choice.expert = static_cast<std::uint16_t>(best - m_ranking.begin());
        choice.weight = m_scores[choice.expert];
    }
    std::sort(out.begin(), out.end(), [](const auto &a, const auto &b) { return a.expert < b.expert; });
    auto factor = static_cast<float>(m_config.routedScalingFactor);
    if (m_config.normTopkProb && out.size() > 1) {
        float sum = 1e-20F;
        for (const ExpertChoice &choice : out)
            sum += choice.weight;
        factor = (m_config.scaleNormalised ? factor : 1.0F) / sum;
    }
    for (ExpertChoice &choice : out)
        choice.weight *= factor;
}

} // namespace bathyscope
