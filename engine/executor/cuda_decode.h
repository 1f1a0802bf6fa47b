// SPDX-License-Identifier: GPL-3.0-or-later
//
// Up to eight tokens through the layers of one card, in one launch.
#pragma once

#include "engine/executor/cuda_state.h"
#include "kernels/cuda/decode_params.h"

namespace bathyscope::cuda {

/// Which part of the stack a launch takes.
struct DecodeRange {
    std::int32_t firstLayer = 0; ///< of the part
    std::int32_t layers = 0;
    bool embed = false; ///< step.ids into x; else x is given
    bool logits = false; ///< of the tokens from logitsFrom on
    std::int32_t logitsFrom = 0;
    std::int32_t firstMoeLayer = 0; ///< MoE layers of the part before firstLayer
};

class Decode {
public:
    /// `part` outlives the result; its card is current.
    Decode(const Model &model, std::size_t part);

    /// Enqueues the range on the part's stream.
    void run(const kernels::cuda::DecodeStep &step, const DecodeRange &range, const Cache &cache);

    /// The same for the multi-token prediction layer, x given.
    void runDraft(const kernels::cuda::DecodeStep &step, const Cache &cache);

    /// y[t] = W x[t]; device pointers.
    void multiply(const DeviceMatrix &matrix, const float *x, float *y, std::int32_t tokens);

    [[nodiscard]] const kernels::cuda::DecodeBuffers &buffers() const { return m_buffers; }

private:
    void launchStack(const kernels::cuda::DecodeStep &step, const kernels::cuda::DecodeParams &params);

    const Model &m_model;
    const Part &m_part;
    std::size_t m_partIndex;
    kernels::cuda::DecodeShape m_shape;
    kernels::cuda::Module m_module;
    kernels::cuda::Module m_productModule;
    kernels::cuda::Kernel m_stack;
    kernels::cuda::Kernel m_product;
    unsigned m_sharedBytes = 0;
    DeviceBuffer m_layers; ///< DeviceLayer of each layer, the draft's last
    DeviceBuffer m_memory;
    kernels::cuda::DecodeBuffers m_buffers;
};

/// Ids, position and angles.
kernels::cuda::DecodeStep makeStep(const RopeTable &rope, std::span<const TokenId> tokens,
                                   std::int32_t firstPosition);

} // namespace bathyscope::cuda
