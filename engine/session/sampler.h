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

    /// The seed in use, so that a reply can be made again.
    [[nodiscard]] std::uint64_t seed() const { return m_seed; }

private:
    struct Weighted {
        float probability;
        TokenId id;
    };

    void penalise();
    void keepTopK();
    void keepByProbability();
    [[nodiscard]] TokenId draw();

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

/// The `count` best of `logits` [vocab_size] and the mass of all others.
Distribution describeDistribution(std::span<const float> logits, std::int32_t count);

} // namespace bathyscope
