// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/decode_product.cuh"
#include "kernels/cuda/decode_product_params.h"

namespace bathyscope::kernels::cuda {

extern "C" __global__ void __launch_bounds__(decodeThreads, 1)
    decodeProduct(const __grid_constant__ DecodeProductParams p)
{
    extern __shared__ __align__(128) unsigned char shared[];
    BlockState &state = *reinterpret_cast<BlockState *>(shared);
    std::uint32_t dynamicBytes = 0;
    asm("mov.u32 %0, %%dynamic_smem_size;" : "=r"(dynamicBytes));
    const SplitVectors x = splitVectors(shared + blockStateBytes, p.matrix.columns);
    const int fit =
        tokensThatFit(p.matrix.columns, static_cast<int>(dynamicBytes) - blockStateBytes - weightRingBytes);
    auto *rings = reinterpret_cast<WeightRing *>(shared + dynamicBytes - weightRingBytes);
    if (threadIdx.x == 0)
        state.zeros = uint4{};
    for (int begin = 0; begin < p.tokens; begin += fit) {
        const int count = min(fit, p.tokens - begin);
        for (int t = 0; t < count; ++t)
            stageVector(x,
                        {.from = p.x + static_cast<std::int64_t>(begin + t) * p.matrix.columns,
                         .factor = 1.0F,
                         .n = p.matrix.columns,
                         .token = t,
                         .at = 0,
                         .dtype = p.matrix.dtype});
        __syncthreads();
        multiplyRows(state, rings, p.matrix, x, count, 0, p.matrix.rows, static_cast<int>(blockIdx.x),
                     static_cast<int>(gridDim.x), [&](int t, int r, float value) {
                         p.y[static_cast<std::int64_t>(begin + t) * p.matrix.rows + r] = value;
                     });
        __syncthreads();
    }
}

} // namespace bathyscope::kernels::cuda
