// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/sampler.h"

#include "kernels/cpu/operations.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace bathyscope {

namespace {

std::uint64_t freshSeed()
{
    std::random_device device;
    return std::uint64_t(device()) << 32U | device();
}

} // namespace

Sampler::Sampler(const SamplingParameters &parameters)
    : m_parameters(parameters)
    , m_seed(parameters.seed ? *parameters.seed : freshSeed())
    , m_random(m_seed)
{
}

void Sampler::observe(std::span<const TokenId> tokens)
{
    if (m_parameters.repetitionPenalty == 1.0F)
        return;
    for (const TokenId id : tokens) {
        if (static_cast<std::size_t>(id) >= m_seen.size())
            m_seen.resize(static_cast<std::size_t>(id) + 1);
        m_seen[static_cast<std::size_t>(id)] = true;
    }
}

void Sampler::penalise()
{
    for (std::size_t id = 0; id < std::min(m_seen.size(), m_logits.size()); ++id)
        if (m_seen[id])
            m_logits[id] = m_logits[id] > 0 ? m_logits[id] / m_parameters.repetitionPenalty
                                            : m_logits[id] * m_parameters.repetitionPenalty;
}

std::optional<ChoiceRequest> Sampler::request(std::int32_t candidates)
{
    // That many hold 0.95 of the mass in nearly every place of a text.
    constexpr std::int32_t usual = 64;
    const SamplingParameters &p = m_parameters;
    const bool greedy = p.temperature <= 0;
    if (p.repetitionPenalty != 1.0F || (!greedy && p.topK >= maxChoiceCandidates)
        || candidates > maxChoiceCandidates)
        return std::nullopt;
    m_requested.reset();
    if (greedy)
        return ChoiceRequest{.candidates = std::max(candidates, 1)};
    m_requested = uniform();
    // One more than top-k shows whether another ties with the last.
    return ChoiceRequest{.candidates = std::max(candidates, p.topK > 0 ? p.topK + 1 : usual),
                         .temperature = p.temperature,
                         .topK = p.topK,
                         .topP = p.topP,
                         .minP = p.minP,
                         .uniform = *m_requested};
}

TokenId Sampler::choose(std::span<const float> logits)
{
    m_logits.assign(logits.begin(), logits.end());
    penalise();
    if (m_parameters.temperature <= 0)
        return best();
    applyTemperature();
    keepTopK();
    const KeptTokens kept = keepLikely();
    return draw({m_candidates.data(), kept.minP});
}

TokenId Sampler::best() const
{
    return static_cast<TokenId>(std::max_element(m_logits.begin(), m_logits.end()) - m_logits.begin());
}

void Sampler::applyTemperature()
{
    for (float &logit : m_logits)
        logit /= m_parameters.temperature;
}

void Sampler::keepTopK()
{
    const auto k = static_cast<std::size_t>(m_parameters.topK);
    if (k == 0 || k >= m_logits.size())
        return;
    std::vector<float> sorted = m_logits;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(k) - 1, sorted.end(),
                     std::greater<>());
    const float least = sorted[k - 1];
    for (float &logit : m_logits)
        if (logit < least)
            logit = -INFINITY;
}

KeptTokens Sampler::keepLikely()
{
    const auto sums = kernels::logSumExp(m_logits.data(), static_cast<std::int64_t>(m_logits.size()));
    // Tokens below this share cannot be needed to reach top_p: all of them together have less than the rest.
    const float floor =
        m_parameters.topP < 1 ? (1 - m_parameters.topP) / static_cast<float>(m_logits.size()) : 0.0F;
    m_candidates.clear();
    for (std::size_t id = 0; id < m_logits.size(); ++id) {
        const float p = std::exp(m_logits[id] - sums.logSumExp);
        if (p >= floor && p > 0)
            m_candidates.push_back({p, static_cast<TokenId>(id)});
    }
    std::sort(m_candidates.begin(), m_candidates.end(), [](const WeightedToken &a, const WeightedToken &b) {
        return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
    });
    return keepByProbability(m_candidates, m_parameters.topP, m_parameters.minP);
}

/// std::uniform_real_distribution differs between libraries; the same seed gives the same text everywhere.
double Sampler::uniform()
{
    return static_cast<double>(m_random() >> 11U) * 0x1p-53;
}

TokenId Sampler::draw(std::span<const WeightedToken> kept)
{
    double sum = 0;
    for (const WeightedToken &candidate : kept)
        sum += candidate.probability;
    const double place = m_requested ? *m_requested : uniform();
    m_requested.reset();
    return kept[findDrawn(kept, place * sum).value_or(kept.size() - 1)].id;
}

SamplerOutcome Sampler::inspect(std::span<const float> logits, std::span<const Candidate> top)
{
    SamplerOutcome outcome;
    outcome.parameters = m_parameters;
    outcome.candidates.resize(top.size());
    m_logits.assign(logits.begin(), logits.end());
    penalise();
    if (m_parameters.temperature > 0) {
        inspectStages(outcome, top);
        return outcome;
    }
    const TokenId chosen = best();
    for (std::size_t i = 0; i < top.size(); ++i)
        outcome.candidates[i] =
            top[i].id == chosen ? SampledCandidate{1, {}} : SampledCandidate{0, SamplerStage::Greedy};
    outcome.kept = 1;
    outcome.removed[static_cast<std::size_t>(SamplerStage::Greedy)] =
        static_cast<std::int32_t>(logits.size()) - 1;
    return outcome;
}

void Sampler::inspectStages(SamplerOutcome &outcome, std::span<const Candidate> top)
{
    const auto removed = [&outcome](SamplerStage stage) -> std::int32_t & {
        return outcome.removed[static_cast<std::size_t>(stage)];
    };
    applyTemperature();
    keepTopK();
    removed(SamplerStage::TopK) =
        static_cast<std::int32_t>(std::count(m_logits.begin(), m_logits.end(), -INFINITY));
    const KeptTokens kept = keepLikely();
    const std::size_t afterTopK = m_logits.size() - static_cast<std::size_t>(removed(SamplerStage::TopK));
    // Without top-p, what is missing of the candidates has underflowed: it cannot be drawn, but no stage did
    // it.
    if (m_parameters.topP < 1)
        removed(SamplerStage::TopP) = static_cast<std::int32_t>(afterTopK - kept.topP);
    removed(SamplerStage::MinP) = static_cast<std::int32_t>(kept.topP - kept.minP);
    outcome.kept = static_cast<std::int32_t>(kept.minP);
    double sum = 0;
    for (std::size_t i = 0; i < kept.minP; ++i)
        sum += m_candidates[i].probability;
    std::unordered_map<TokenId, std::size_t> places;
    for (std::size_t i = 0; i < kept.topP; ++i)
        places.emplace(m_candidates[i].id, i);
    for (std::size_t i = 0; i < top.size(); ++i) {
        SampledCandidate &candidate = outcome.candidates[i];
        const auto place = places.find(top[i].id);
        if (m_logits[static_cast<std::size_t>(top[i].id)] == -INFINITY)
            candidate.removedBy = SamplerStage::TopK;
        else if (place == places.end())
            candidate.removedBy = m_parameters.topP < 1 ? std::optional(SamplerStage::TopP) : std::nullopt;
        else if (place->second >= kept.minP)
            candidate.removedBy = SamplerStage::MinP;
        else
            candidate.probability = static_cast<float>(m_candidates[place->second].probability / sum);
    }
}

float entropyOf(std::span<const float> logits, float logSumExp)
{
    double nats = 0;
    for (const float logit : logits) {
        const double logProb = static_cast<double>(logit) - static_cast<double>(logSumExp);
        const double term = -std::exp(logProb) * logProb;
        nats += std::isfinite(term) ? term : 0;
    }
    return static_cast<float>(std::max(nats, 0.0) / std::log(2.0));
}

std::int32_t rankOf(std::span<const float> logits, TokenId id)
{
    const float own = logits[static_cast<std::size_t>(id)];
    std::int32_t rank = 1;
    for (std::size_t other = 0; other < logits.size(); ++other)
        rank += logits[other] > own || (logits[other] == own && other < static_cast<std::size_t>(id)) ? 1 : 0;
    return rank;
}

} // namespace bathyscope
