// SPDX-License-Identifier: GPL-3.0-or-later
//
// Heads of a chunk's queries, keys and values between their projections and grouped-query attention. A block
// takes one token, a warp one head after the other.
#include "kernels/cuda/grouped_heads.cuh"

namespace bathyscope::kernels::cuda {

extern "C" __global__ void __launch_bounds__(groupedThreads)
    prefill_heads(const __grid_constant__ PrefillHeadsParams p)
{
    const HeadsParams &h = p.heads;
    const int token = static_cast<int>(blockIdx.x);
    const std::int64_t keyWidth = h.keyHeads * h.headDim;
    const float *cosines = p.cosines + std::int64_t(token) * (h.headDim / 2);
    const float *sines = p.sines + std::int64_t(token) * (h.headDim / 2);
    const float *keys = p.kv + token * 2 * keyWidth;
    __half *row = static_cast<__half *>(p.cache) + token * 2 * keyWidth;
    for (int i = warpOf(); i < 2 * h.keyHeads; i += groupedThreads / 32) {
        const int head = i % h.keyHeads;
        const std::int64_t at = std::int64_t(i) * h.headDim; // values follow the keys
        const HeadPairs pairs = i < h.keyHeads ? finishHead(h, keys + at, keyWeights(h, head), cosines, sines)
                                               : loadHead(h, keys + at, valueBias(h, head));
        pairs.forEach(h, [&](int column, float v) { row[at + column] = toCached(v); });
    }
    if (token < p.firstQuery)
        return;
    const std::int64_t first = std::int64_t(token - p.firstQuery) * h.heads * h.headDim;
    for (int head = warpOf(); head < h.heads; head += groupedThreads / 32) {
        const std::int64_t at = first + head * h.headDim;
        auto *out = static_cast<__nv_bfloat16 *>(p.rotated) + at;
        finishHead(h, p.query + at, queryWeights(h, head), cosines, sines)
            .forEach(h, [&](int column, float v) { out[column] = __float2bfloat16(v); });
    }
}

} // namespace bathyscope::kernels::cuda
