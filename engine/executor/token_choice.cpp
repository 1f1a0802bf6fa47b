// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/token_choice.h"

#include "kernels/cpu/operations.h"

#include <algorithm>
#include <cmath>

namespace bathyscope {

namespace {

/// Minus infinity where all values are.
float logSumExpOf(std::span<const float> values)
{
    const auto sums = kernels::logSumExp(values.data(), static_cast<std::int64_t>(values.size()));
    return sums.maximum == -INFINITY ? -INFINITY : sums.logSumExp;
}

/// Probability of all tokens that are not in `top`. Added up over them: one minus the mass of the top would
/// be all rounding where the model is nearly certain.
float restOf(std::span<const float> logits, std::span<const Candidate> top, float logSumExp)
{
    if (top.size() == logits.size())
        return 0;
    std::vector<float> others(logits.begin(), logits.end());
    for (const Candidate &candidate : top)
        others[static_cast<std::size_t>(candidate.id)] = -INFINITY;
    return std::min(std::exp(logSumExpOf(others) - logSumExp), 1.0F);
}

/// The stages between candidates and token.
class CandidateDraw {
public:
    CandidateDraw(std::span<const float> logits, const ChoiceRequest &request)
        : m_logits(logits)
        , m_request(request)
    {
    }

    /// Place in `top`; none where the candidates cannot tell.
    std::optional<std::size_t> place(std::span<const Candidate> top)
    {
        for (const Candidate &candidate : top)
            m_scaled.push_back(m_logits[static_cast<std::size_t>(candidate.id)] / m_request.temperature);
        m_complete = top.size() == m_logits.size();
        if (!keepTopK())
            return std::nullopt;
        std::vector<WeightedToken> tokens;
        for (std::size_t i = 0; i < m_scaled.size(); ++i)
            tokens.push_back({std::exp(m_scaled[i] - m_logSumExp), top[i].id});
        const KeptTokens kept = keepByProbability(tokens, m_request.topP, m_request.minP);
        double sum = 0;
        for (std::size_t i = 0; i < kept.minP; ++i)
            sum += tokens[i].probability;
        // All candidates are kept, and tokens behind them may be, too.
        const bool open = !m_complete && kept.minP == tokens.size() && !kept.reached;
        if (open && (m_request.topP < 1 || m_request.minP > 0))
            return std::nullopt;
        const auto drawn =
            findDrawn(std::span(tokens).first(kept.minP), m_request.uniform * (open ? 1.0 : sum));
        return drawn || open ? drawn : std::optional(kept.minP - 1);
    }

private:
    /// False where tokens that tie with the last of top-k may be missing.
    bool keepTopK()
    {
        const auto k = static_cast<std::size_t>(m_request.topK);
        if (k == 0 || k >= m_logits.size()) {
            std::vector<float> scaled(m_logits.begin(), m_logits.end());
            for (float &logit : scaled)
                logit /= m_request.temperature;
            m_logSumExp = logSumExpOf(scaled);
            return true;
        }
        if (k > m_scaled.size())
            return false;
        const auto end = std::find_if(m_scaled.begin(), m_scaled.end(),
                                      [least = m_scaled[k - 1]](float logit) { return logit < least; });
        if (end == m_scaled.end() && !m_complete)
            return false;
        m_scaled.erase(end, m_scaled.end());
        m_logSumExp = logSumExpOf(m_scaled);
        m_complete = true;
        return true;
    }

    std::span<const float> m_logits;
    const ChoiceRequest &m_request;
    std::vector<float> m_scaled; ///< of the candidates that can be drawn
    float m_logSumExp = 0; ///< of all that can be drawn
    bool m_complete = false; ///< no other token can be drawn
};

} // namespace

void Distribution::keepBest(std::size_t count)
{
    for (; top.size() > count; top.pop_back())
        restMass += std::exp(top.back().logProb);
}

Distribution describeDistribution(std::span<const float> logits, std::int32_t count)
{
    Distribution distribution;
    distribution.logSumExp = logSumExpOf(logits);
    const std::size_t n = std::min(static_cast<std::size_t>(count), logits.size());
    if (n == 0) {
        distribution.restMass = 1;
        return distribution;
    }
    const auto better = [](const Candidate &a, const Candidate &b) {
        return a.logProb != b.logProb ? a.logProb > b.logProb : a.id < b.id;
    };
    // A heap whose front is the worst of the best so far: nearly all tokens fail one comparison.
    std::vector<Candidate> &top = distribution.top;
    top.reserve(n + 1);
    for (std::size_t id = 0; id < logits.size(); ++id) {
        if (top.size() == n && logits[id] <= top.front().logProb)
            continue;
        if (top.size() == n) {
            std::pop_heap(top.begin(), top.end(), better);
            top.pop_back();
        }
        top.push_back({static_cast<TokenId>(id), logits[id]});
        std::push_heap(top.begin(), top.end(), better);
    }
    std::sort_heap(top.begin(), top.end(), better);
    for (Candidate &candidate : top)
        candidate.logProb -= distribution.logSumExp;
    distribution.restMass = restOf(logits, top, distribution.logSumExp);
    return distribution;
}

TokenChoice chooseToken(std::span<const float> logits, const ChoiceRequest &request)
{
    TokenChoice choice;
    choice.distribution = describeDistribution(logits, request.candidates);
    const std::vector<Candidate> &top = choice.distribution.top;
    const std::optional<std::size_t> place =
        request.temperature > 0 ? CandidateDraw(logits, request).place(top) : 0;
    if (place) {
        choice.token = top[*place].id;
        choice.logProb = top[*place].logProb;
    }
    return choice;
}

KeptTokens keepByProbability(std::span<const WeightedToken> tokens, float topP, float minP)
{
    KeptTokens kept{.topP = tokens.size()};
    if (topP < 1) {
        float mass = 0;
        for (kept.topP = 0; kept.topP < tokens.size() && (kept.topP == 0 || mass < topP); ++kept.topP)
            mass += tokens[kept.topP].probability;
        kept.reached = mass >= topP;
    }
    const float least = minP * tokens.front().probability;
    kept.minP = kept.topP;
    while (kept.minP > 1 && tokens[kept.minP - 1].probability < least)
        --kept.minP;
    return kept;
}

std::optional<std::size_t> findDrawn(std::span<const WeightedToken> tokens, double target)
{
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        target -= tokens[i].probability;
        if (target < 0)
            return i;
    }
    return std::nullopt;
}

} // namespace bathyscope
