// SPDX-License-Identifier: GPL-3.0-or-later
//
// One head of a query, key or value between its projection and attention; a warp has it.
#pragma once

#include "kernels/cuda/decode_common.cuh"
#include "kernels/cuda/grouped_params.h"
#include "kernels/cuda/tensor_core.cuh"

namespace bathyscope::kernels::cuda {

/// A lane's values: pairs `lane` and `lane + 32` of those that rotate together.
struct HeadPairs {
    float2 pairs[2];

    /// Calls store(column, value) for each of the lane's values.
    template <typename Store>
    __device__ __forceinline__ void forEach(const HeadsParams &h, const Store &store) const
    {
        const int half = h.headDim / 2;
#pragma unroll
        for (int i = 0; i < 2; ++i) {
            const int pair = laneOf() + 32 * i;
            if (pair >= half)
                break;
            store(h.ropeHalves ? pair : 2 * pair, pairs[i].x);
            store(h.ropeHalves ? pair + half : 2 * pair + 1, pairs[i].y);
        }
    }
};

/// What the weights of a head are; each may be none.
struct HeadWeights {
    const float *bias; ///< of this head
    const float *norm;
};

/// The head at `x` with its bias. What kernels that overlap wrote is read past the L1 cache.
__device__ __forceinline__ HeadPairs loadHead(const HeadsParams &h, const float *x, const float *bias)
{
    HeadPairs head{};
    const int half = h.headDim / 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const int pair = laneOf() + 32 * i;
        if (pair >= half)
            break;
        const int first = h.ropeHalves ? pair : 2 * pair;
        const int second = h.ropeHalves ? pair + half : 2 * pair + 1;
        head.pairs[i] = {__ldcg(x + first) + (bias ? __ldg(bias + first) : 0.0F),
                         __ldcg(x + second) + (bias ? __ldg(bias + second) : 0.0F)};
    }
    return head;
}

/// The head at `x` with bias, normalised and rotated by its token's angles [headDim / 2].
__device__ __forceinline__ HeadPairs finishHead(const HeadsParams &h, const float *x, const HeadWeights &w,
                                                const float *cosines, const float *sines)
{
    HeadPairs head = loadHead(h, x, w.bias);
    const int half = h.headDim / 2;
    if (w.norm) {
        float squares = 0;
#pragma unroll
        for (int i = 0; i < 2; ++i)
            squares += head.pairs[i].x * head.pairs[i].x + head.pairs[i].y * head.pairs[i].y;
        const float factor = rsqrtf(warpSum(squares) / static_cast<float>(h.headDim) + h.epsilon);
        head.pairs[0] = {head.pairs[0].x * factor, head.pairs[0].y * factor};
        head.pairs[1] = {head.pairs[1].x * factor, head.pairs[1].y * factor};
    }
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        const int pair = laneOf() + 32 * i;
        if (pair >= half)
            break;
        float2 v = head.pairs[i];
        if (w.norm)
            v = {v.x * __ldg(w.norm + (h.ropeHalves ? pair : 2 * pair)),
                 v.y * __ldg(w.norm + (h.ropeHalves ? pair + half : 2 * pair + 1))};
        const float cosine = __ldcg(cosines + pair);
        const float sine = __ldcg(sines + pair);
        head.pairs[i] = {v.x * cosine - v.y * sine, v.y * cosine + v.x * sine};
    }
    return head;
}

/// Bias and norm of head `head` of the queries, or of the keys.
__device__ __forceinline__ HeadWeights queryWeights(const HeadsParams &h, int head)
{
    return {h.qBias ? h.qBias + head * h.headDim : nullptr, h.qNorm};
}

__device__ __forceinline__ HeadWeights keyWeights(const HeadsParams &h, int head)
{
    return {h.kBias ? h.kBias + head * h.headDim : nullptr, h.kNorm};
}

__device__ __forceinline__ const float *valueBias(const HeadsParams &h, int head)
{
    return h.vBias ? h.vBias + head * h.headDim : nullptr;
}

} // namespace bathyscope::kernels::cuda
