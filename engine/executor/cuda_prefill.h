// SPDX-License-Identifier: GPL-3.0-or-later
//
// Chunks of tokens through the layers of one card.
#pragma once

#include "engine/executor/cuda_host_experts.h"
#include "engine/executor/cuda_state.h"

#include <memory>
#include <span>
#include <string>

namespace bathyscope::cuda {

/// A chunk on its way through one part. Pointers are device memory of the part's card. Nothing here waits
/// for the host, but for the experts that it computes.
struct PrefillChunk {
    const std::int32_t *ids = nullptr; ///< [tokens]; first part only: they are embedded into x
    float *x = nullptr; ///< residual stream [tokens, hidden], in and out
    std::int32_t tokens = 0;
    std::int32_t firstPosition = 0; ///< of token 0, which is what the cache holds so far
    /// In the part's last layer only tokens from here on need an output (the others' latents still go to the
    /// cache); what stays of their x is not used.
    std::int32_t firstNeeded = 0;
    ExpertChoice *routing = nullptr; ///< [MoE layers of the part, tokens - firstNeeded, k], or none
};

/// Kernels, handles and workspace for the chunks of one part.
class Prefill {
public:
    virtual ~Prefill() = default;
    /// Tokens that fit the workspace.
    [[nodiscard]] virtual std::int32_t maxTokens() const = 0;
    /// Why products in bf16 are not cuBLASLt's but own kernels'; empty where they are cuBLASLt's.
    [[nodiscard]] virtual std::string withoutLibrary() const = 0;
    /// Enqueues the chunk on the part's stream. The part's card is current.
    virtual void run(const PrefillChunk &chunk, const Cache &cache) = 0;
};

/// How products of a prefill are computed.
struct PrefillOptions {
    bool quantiseActivations = true; ///< 1×128 blocks to e4m3 where weights are, on sm_90; else bf16
};

/// `model.parts[part]`; both outlive the result. `hostExperts`: none where all experts are on the cards.
std::unique_ptr<Prefill> createPrefill(const Model &model, std::size_t part, const PrefillOptions &options,
                                       HostExperts *hostExperts);

} // namespace bathyscope::cuda
