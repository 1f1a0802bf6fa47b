// SPDX-License-Identifier: GPL-3.0-or-later
//
// Chunks of tokens through all cards.
#pragma once

#include "engine/executor/cuda_prefill.h"

#include <span>

namespace bathyscope::cuda {

class Chunks {
public:
    Chunks(const Model &model, const PrefillOptions &options, HostExperts *hostExperts);

    /// Tokens of a chunk at the most.
    [[nodiscard]] std::int32_t maxTokens() const { return m_maxTokens; }

    /// Runs the stack on the tokens; x() is the outcome for tokens from `firstNeeded` on. Where `routing` is
    /// not empty, it gets those tokens' experts: [tokens - firstNeeded, MoE layers, k].
    void run(std::span<const TokenId> tokens, const Cache &cache, std::int32_t firstNeeded,
             std::span<ExpertChoice> routing);

    /// Residual stream after the last layer, [tokens, hidden], on the last card.
    [[nodiscard]] const float *x() const { return m_parts.back().x.as<float>(); }

private:
    struct PerPart {
        std::unique_ptr<Prefill> prefill;
        DeviceBuffer ids; ///< first card only
        DeviceBuffer x; ///< [maxTokens, hidden]
        DeviceBuffer routing; ///< [MoE layers of the part, maxTokens, k]
    };
    void handOn(std::size_t part, std::int32_t tokens);
    void readRouting(std::size_t part, std::int32_t rows, std::int32_t needed,
                     std::span<ExpertChoice> routing);

    const Model &m_model;
    std::vector<PerPart> m_parts;
    std::int32_t m_maxTokens = 0;
};

} // namespace bathyscope::cuda
