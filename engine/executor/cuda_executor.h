// SPDX-License-Identifier: GPL-3.0-or-later
//
// Models on NVIDIA GPUs. No CUDA type is seen from here.
#pragma once

#include "engine/checkpoint/tensor_source.h"
#include "engine/executor/executor.h"

#include <cstdint>
#include <span>

namespace bathyscope {

/// Consecutive layers for one card.
struct CudaShare {
    int ordinal = 0;
    std::int32_t layers = 0;
};

struct CudaOptions {
    bool bf16Activations = false; ///< in prefill, where products could take FP8
    bool quantise = false; ///< F32, F16 and BF16 projections become FP8 blocks while they are loaded
    /// From this layer on, the draft's included, the CPU computes the routed experts.
    std::int32_t hostExpertsFrom = INT32_MAX;
    int threads = 0; ///< of the CPU; 0: one for each core
};

/// `shares` in the order of the layers, all of them together. Reads `source` while it loads and keeps it.
/// Throws Error: a type or shape that the kernels do not have, no memory, a failed call.
std::unique_ptr<Executor> createCudaExecutor(const ModelConfig &config,
                                             std::shared_ptr<const TensorSource> source,
                                             std::span<const CudaShare> shares, const CudaOptions &options);

/// The same for a plan whose shares are GPUs, and which says what experts are the host's.
std::unique_ptr<Executor> createCudaExecutor(const ModelConfig &config,
                                             std::shared_ptr<const TensorSource> source,
                                             const MemoryPlan &plan, CudaOptions options);

} // namespace bathyscope
