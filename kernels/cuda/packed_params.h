// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parameters of the kernels that read GGUF's packed types, shared by host and device.
#pragma once

#include "kernels/cuda/decode_params.h"

namespace bathyscope::kernels::cuda {

/// How the shared memory of a packed product's block is divided; behind the tokens lie the warps' rings.
struct PackedMemory {
    std::int32_t columns = 0; ///< of a token's activations, a multiple of 32
    std::int32_t stages = 0; ///< of a warp's ring: 2 or 3
    std::int32_t stageBytes = 0; ///< 16 rows of a chunk
};

struct PackedProjectParams {
    ProjectParams product; ///< packed matrices of any types
    PackedMemory memory;
};

struct PackedFeedForwardParams {
    FeedForwardParams block; ///< packed matrices of any types; gate and up alike
    PackedMemory memory;
};

/// Packed matrices to bf16, for the products of a chunk.
struct WidenPackedParams {
    const void *data = nullptr; ///< first row
    void *bf16 = nullptr; ///< [matrices, rows, columns]
    std::int64_t stride = 0; ///< bytes from a matrix to the next
    std::int32_t matrices = 1;
    std::int32_t rows = 0; ///< of each
    std::int32_t columns = 0;
    DType dtype = DType::Q8_0;
};

/// x[t] = row ids[t] of a packed embedding.
struct EmbedPackedParams {
    const std::int32_t *ids = nullptr; ///< [tokens]
    float *x = nullptr; ///< [tokens, embedding.columns]
    DeviceMatrix embedding;
};

} // namespace bathyscope::kernels::cuda
