// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

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

    /// One token for the logits [vocab_size] of the next position; does not observe it. The logits are not
    /// changed.
    [[nodiscard]] TokenId choose(std::span<const float> logits);

    /// What the stages would leave of the candidates `top` of these logits. Draws nothing.
    [[nodiscard]] SamplerOutcome inspect(std::span<const float> logits, std::span<const Candidate> top);

    /// The seed in use, so that a reply can be made again.
    [[nodiscard]] std::uint64_t seed() const { return m_seed; }

private:
    struct Weighted {
        float probability;
        TokenId id;
    };

    /// How many of m_candidates, most probable first, pass the stages.
    struct Kept {
        std::size_t topP = 0;
        std::size_t minP = 0; ///< pass top-p as well
    };

    void penalise();
    [[nodiscard]] TokenId best() const;
    void applyTemperature();
    void keepTopK();
    [[nodiscard]] Kept keepByProbability();
    [[nodiscard]] TokenId draw(std::span<const Weighted> kept);
    void inspectStages(SamplerOutcome &outcome, std::span<const Candidate> top);

    SamplingParameters m_parameters;
    std::uint64_t m_seed;
    std::mt19937_64 m_random;
    std::vector<bool> m_seen; ///< by id
    std::vector<float> m_logits;
    std::vector<Weighted> m_candidates; ///< most probable first once sorted
};

/// Log-probabilities of a model's own distribution.
struct Distribution {
    float logSumExp = 0;
    std::vector<Candidate> top; ///< most probable first, the lower id where they tie
    float restMass = 0;
};

/// Entropy in bits.
[[nodiscard]] float entropyOf(std::span<const float> logits, float logSumExp);

/// Place of a token in the order of the distribution; of equals the lower id comes first.
[[nodiscard]] std::int32_t rankOf(std::span<const float> logits, TokenId id);

/// The `count` best of `logits` [vocab_size] and the mass of all others.
Distribution describeDistribution(std::span<const float> logits, std::int32_t count);

} // namespace bathyscope
