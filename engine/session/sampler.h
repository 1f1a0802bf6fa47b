// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/executor/token_choice.h"
#include "engine/records.h"

#include <optional>
#include <random>
#include <span>
#include <vector>

namespace bathyscope {

/// Chooses tokens from logits. The stages, in this order: repetition penalty, temperature, top-k, top-p,
/// min-p, draw. With temperature 0 the most probable token after the penalty is taken.
class Sampler {
public:
    explicit Sampler(const SamplingParameters &parameters);

    /// Tokens that the repetition penalty counts: prompt and reply so far.
    void observe(std::span<const TokenId> tokens);

    /// What an executor has to know to choose the next token itself and to tell `candidates` of its
    /// distribution; none where the settings need all logits (a repetition penalty, a top-k beyond
    /// maxChoiceCandidates). Where its candidates cannot tell, choose() draws at the same place.
    [[nodiscard]] std::optional<ChoiceRequest> request(std::int32_t candidates);

    /// One token for the logits [vocab_size] of the next position; does not observe it. The logits are not
    /// changed.
    [[nodiscard]] TokenId choose(std::span<const float> logits);

    /// What the stages would leave of the candidates `top` of these logits. Draws nothing.
    [[nodiscard]] SamplerOutcome inspect(std::span<const float> logits, std::span<const Candidate> top);

    /// The seed in use, so that a reply can be made again.
    [[nodiscard]] std::uint64_t seed() const { return m_seed; }

private:
    void penalise();
    [[nodiscard]] TokenId best() const;
    void applyTemperature();
    void keepTopK();
    [[nodiscard]] KeptTokens keepLikely();
    [[nodiscard]] double uniform();
    [[nodiscard]] TokenId draw(std::span<const WeightedToken> kept);
    void inspectStages(SamplerOutcome &outcome, std::span<const Candidate> top);

    SamplingParameters m_parameters;
    std::uint64_t m_seed;
    std::mt19937_64 m_random;
    std::optional<double> m_requested; ///< the place that request() told
    std::vector<bool> m_seen; ///< by id
    std::vector<float> m_logits;
    std::vector<WeightedToken> m_candidates; ///< most probable first once sorted
};

/// Entropy in bits.
[[nodiscard]] float entropyOf(std::span<const float> logits, float logSumExp);

/// Place of a token in the order of the distribution; of equals the lower id comes first.
[[nodiscard]] std::int32_t rankOf(std::span<const float> logits, TokenId id);

} // namespace bathyscope
