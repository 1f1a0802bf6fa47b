// SPDX-License-Identifier: GPL-3.0-or-later
//
// Routed experts that stay on the host: for whole layers the CPU computes them, while the card goes on with
// what the layer's tokens share.
#pragma once

#include "engine/executor/cpu_feed_forward.h"
#include "engine/executor/cuda_state.h"
#include "kernels/cuda/add_kernel.h"

#include <functional>
#include <vector>

namespace bathyscope::cuda {

/// One layer's tokens. Device memory of the part's card.
struct HostExpertsParams {
    std::size_t part = 0;
    std::int32_t layer = 0; ///< of the model; behind the last one the draft's
    std::int32_t tokens = 0;
    float *x = nullptr; ///< residual stream [tokens, hidden]: read, and added to
    const void *choices = nullptr; ///< ExpertChoice [tokens, num_experts_per_tok]
};

class HostExperts {
public:
    /// For up to `tokens` at once, computed by `threads` (0: one for each core but one). `model` and
    /// `weights` outlive this.
    HostExperts(const Model &model, const ModelWeights &weights, std::int32_t tokens, int threads);

    /// x += Σ weight * expert(norm(x)). Waits for the part's stream up to here, but not for what `meanwhile`
    /// enqueues, which may change x; the sums are added behind it.
    void run(const HostExpertsParams &params, const std::function<void()> &meanwhile);

private:
    /// The card reads and writes the pinned memory in the order of the part's stream, and no other's.
    struct PerPart {
        kernels::cuda::Event copied;
        kernels::cuda::AddKernel add;
        kernels::cuda::PinnedBuffer x; ///< [tokens, hidden]
        kernels::cuda::PinnedBuffer choices; ///< [tokens, num_experts_per_tok]
        kernels::cuda::PinnedBuffer sums; ///< [tokens, hidden]
    };
    void compute(const HostExpertsParams &params);

    const Model &m_model;
    const ModelWeights &m_weights;
    ThreadTeam m_team;
    cpu::FeedForward m_feedForward;
    std::vector<float> m_normed; ///< [tokens, hidden]
    std::vector<PerPart> m_parts;
};

} // namespace bathyscope::cuda
