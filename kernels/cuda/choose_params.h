// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parameters of the kernels at the end of a step: from the logits of a token to its best candidates and the
// next token; shared by host and device.
#pragma once

#include <cstdint>

namespace bathyscope::kernels::cuda {

constexpr std::int32_t chooseSlices = 2048; ///< of the vocabulary: tokens s, s + 2048, s + 4096, …
constexpr std::int32_t chooseMaxCandidates = 1024;
constexpr std::int32_t chooseRoom = 4096; ///< tokens that are sorted at the most

/// How a token is drawn, and how many candidates are wanted; see ChoiceRequest of the engine.
struct ChooseSettings {
    std::int32_t candidates = 1;
    float temperature = 0;
    std::int32_t topK = 0;
    float topP = 1;
    float minP = 0;
    double uniform = 0;
};

struct ChosenCandidate {
    std::int32_t id;
    float logit;
};

/// What the host reads.
struct ChooseResult {
    std::int32_t count; ///< of `best`; 0: too many tokens tie to be sorted, and nothing else is told
    std::int32_t drawn; ///< place of the token in `best`; -1: they cannot tell
    float logSumExp;
    float restMass; ///< probability of all tokens that are not in `best`
    ChosenCandidate best[chooseMaxCandidates]; ///< descending, the lower id where they tie
};

/// Pointers to device memory but for what the host reads, which is pinned.
struct ChooseParams {
    const ChooseSettings *settings = nullptr;
    const float *logits = nullptr; ///< [vocabulary]
    float *maxima = nullptr; ///< [chooseSlices]
    float *sums = nullptr; ///< [chooseSlices] Σ exp(logit - maximum)
    float *tempered = nullptr; ///< [chooseSlices] Σ exp((logit - maximum) / temperature)
    ChooseResult *result = nullptr; ///< pinned
    const std::uint64_t *trace = nullptr; ///< written by the kernels before; none: nothing is traced
    std::uint64_t *traceOut = nullptr; ///< pinned: gets a copy
    std::int32_t traceWords = 0;
    std::int32_t vocabulary = 0;
};

} // namespace bathyscope::kernels::cuda
