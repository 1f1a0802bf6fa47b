// SPDX-License-Identifier: GPL-3.0-or-later
//
// From the logits of a place to its best candidates and the next token, so that all logits need not be handed
// out: what the executors do at the end of a step. Here is the CPU's way; the GPU's has the same stages.
#pragma once

#include "engine/records.h"

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace bathyscope {

/// Log-probabilities of a model's own distribution.
struct Distribution {
    float logSumExp = 0;
    std::vector<Candidate> top; ///< most probable first, the lower id where they tie
    float restMass = 0; ///< probability of all others

    /// Leaves the `count` best in `top`.
    void keepBest(std::size_t count);
};

/// The `count` best of `logits` [vocab_size] and the mass of all others.
Distribution describeDistribution(std::span<const float> logits, std::int32_t count);

/// What is wanted of a token's distribution in place of its logits. The sampler's settings are those of
/// SamplingParameters.
struct ChoiceRequest {
    std::int32_t candidates = 1; ///< entries of Distribution::top, from 1 to maxChoiceCandidates
    float temperature = 0;
    std::int32_t topK = 0;
    float topP = 1;
    float minP = 0;
    double uniform = 0; ///< from 0 to below 1: the place of the draw in what the stages leave
};
inline constexpr std::int32_t maxChoiceCandidates = 1024;

/// A token that was drawn from the candidates. They cannot always tell which it is: top-p may need more of
/// them, the draw may lie in the mass of the others, or one that ties with the last of top-k may be missing.
struct TokenChoice {
    TokenId token = -1; ///< -1: it takes all logits to tell
    float logProb = 0; ///< of the token
    Distribution distribution;
};

/// The choice for `logits` [vocab_size].
TokenChoice chooseToken(std::span<const float> logits, const ChoiceRequest &request);

/// A token with its probability after the temperature.
struct WeightedToken {
    float probability;
    TokenId id;
};

/// How many tokens pass the stages that look at probabilities.
struct KeptTokens {
    std::size_t topP = 0;
    std::size_t minP = 0; ///< pass top-p as well
    bool reached = false; ///< they have the mass that top-p asks for
};

/// Of tokens in descending order.
KeptTokens keepByProbability(std::span<const WeightedToken> tokens, float topP, float minP);

/// The one at which the sum of probabilities goes over `target`; none where it does not.
std::optional<std::size_t> findDrawn(std::span<const WeightedToken> tokens, double target);

} // namespace bathyscope
