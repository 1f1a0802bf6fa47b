// SPDX-License-Identifier: GPL-3.0-or-later
//
// The choice of experts (DeepSeek-V2, section 2.2; DeepSeek-V3, section 2.1.2), which every block makes for
// itself: a warp a token.
#pragma once

#include "kernels/cuda/decode_common.cuh"

namespace bathyscope::kernels::cuda {

struct Best {
    float value;
    int index;
};

/// Where the largest value of the warp is, the lowest index where some tie.
__device__ __forceinline__ int warpBest(const Best &mine)
{
    const std::uint32_t bits = __float_as_uint(mine.value);
    const std::uint32_t key =
        bits ^ ((bits & 0x80000000U) != 0 ? 0xFFFFFFFFU : 0x80000000U); // orders as floats
    const std::uint32_t best = __reduce_max_sync(0xFFFFFFFFU, key);
    return static_cast<int>(
        __reduce_min_sync(0xFFFFFFFFU, key == best ? static_cast<std::uint32_t>(mine.index) : 0x7FFFFFFFU));
}

/// Scores and ranking of one token's experts; one warp.
__device__ __forceinline__ void scoreExperts(float *scores, const RoutingShape &s, const float *logits,
                                             const float *bias)
{
    float *ranking = scores + s.experts;
    float maximum = -INFINITY;
#pragma unroll 1
    for (int e = laneOf(); e < s.experts; e += 32) {
        scores[e] = __ldcg(logits + e);
        maximum = fmaxf(maximum, scores[e]);
    }
    maximum = warpMax(maximum);
    float sum = 0;
#pragma unroll 1
    for (int e = laneOf(); e < s.experts; e += 32) {
        scores[e] = s.sigmoid ? 1.0F / (1.0F + expf(-scores[e])) : expf(scores[e] - maximum);
        sum += scores[e];
    }
    sum = warpSum(sum);
#pragma unroll 1
    for (int e = laneOf(); e < s.experts; e += 32) {
        if (!s.sigmoid)
            scores[e] /= sum;
        ranking[e] = scores[e] + (bias ? __ldg(bias + e) : 0.0F);
    }
    __syncwarp();
}

/// Takes the experts of all but the best groups out of the ranking; one warp, a lane a group.
__device__ __forceinline__ void limitToGroups(float *ranking, const RoutingShape &s)
{
    const int size = s.experts / s.groups;
    float first = -INFINITY;
    float second = -INFINITY;
    if (laneOf() < s.groups)
#pragma unroll 1
        for (int e = laneOf() * size; e < (laneOf() + 1) * size; ++e) {
            second = fmaxf(second, fminf(first, ranking[e]));
            first = fmaxf(first, ranking[e]);
        }
    float worth = laneOf() < s.groups ? (s.sumOfTwo ? first + second : first) : -INFINITY;
    bool kept = false;
#pragma unroll 1
    for (int i = 0; i < s.keptGroups; ++i) {
        if (warpBest({worth, laneOf()}) == laneOf()) {
            worth = -INFINITY;
            kept = true;
        }
    }
    __syncwarp();
    if (laneOf() < s.groups && !kept)
#pragma unroll 1
        for (int e = laneOf() * size; e < (laneOf() + 1) * size; ++e)
            ranking[e] = -INFINITY;
    __syncwarp();
}

/// The best of the ranking by ascending expert, with their weights; one warp.
__device__ __forceinline__ void pickExperts(DecodeChoice *choices, float *scores, const RoutingShape &s)
{
    float *ranking = scores + s.experts;
    int chosen = -1; // lane i's: the i-th best
#pragma unroll 1
    for (int i = 0; i < s.chosen; ++i) {
        Best best{-INFINITY, decodeMaxExperts};
#pragma unroll 1
        for (int e = laneOf(); e < s.experts; e += 32)
            if (ranking[e] > best.value)
                best = {ranking[e], e};
        const int at = min(warpBest(best), s.experts - 1); // scores that are no numbers
        __syncwarp();
        if (laneOf() == i)
            chosen = at;
        if (laneOf() == 0)
            ranking[at] = -INFINITY;
        __syncwarp();
    }
    const bool mine = laneOf() < s.chosen;
    const float score = mine ? scores[chosen] : 0.0F;
    const float total = warpSum(score) + 1e-20F;
    int rank = 0;
#pragma unroll 1
    for (int i = 0; i < s.chosen; ++i)
        rank += __shfl_sync(0xFFFFFFFFU, chosen, i) < chosen;
    if (mine)
        choices[rank] = {static_cast<std::uint16_t>(chosen), 0,
                         score * s.factor / (s.normalise ? total : 1.0F)};
}

/// Every expert that some token chose, once, and its place among each token's choices.
__device__ __forceinline__ void listExperts(RoutingTable &routing, int chosen, int tokens)
{
    __shared__ bool isFirst[decodeMaxTokens][decodeMaxChosen]; // no token before chose it
    const int token = static_cast<int>(threadIdx.x) / decodeMaxChosen;
    const int slot = static_cast<int>(threadIdx.x) % decodeMaxChosen;
    const bool mine = token < tokens && slot < chosen;
    const int expert = mine ? routing.choices[token][slot].expert : -1;
    bool first = mine;
#pragma unroll 1
    for (int t = 0; t < token && first; ++t)
#pragma unroll 1
        for (int k = 0; k < chosen; ++k)
            first = first && routing.choices[t][k].expert != expert;
    if (token < tokens)
        isFirst[token][slot] = first;
    __syncthreads();
    if (!first)
        return;
    int place = 0;
#pragma unroll 1
    for (int t = 0; t <= token; ++t)
#pragma unroll 1
        for (int k = 0; k < (t < token ? chosen : slot); ++k)
            place += isFirst[t][k];
    atomicAdd(&routing.count, 1);
    routing.expertOf[place] = static_cast<short>(expert);
#pragma unroll 1
    for (int t = 0; t < tokens; ++t) {
        signed char slotOfToken = -1;
#pragma unroll 1
        for (int k = 0; k < chosen; ++k)
            if (routing.choices[t][k].expert == expert)
                slotOfToken = static_cast<signed char>(k);
        routing.slotOf[place][t] = slotOfToken;
    }
}

/// The choice for all tokens, in shared memory. `scores` is room for two numbers for each token and expert.
__device__ __forceinline__ void chooseExperts(RoutingTable &routing, float *scores, const RouteParams &p)
{
    const RoutingShape &s = p.shape;
    if (threadIdx.x == 0)
        routing.count = 0;
    if (warpOf() < p.logits.tokens) {
        float *mine = scores + 2 * warpOf() * s.experts;
        scoreExperts(mine, s, p.logits.firstOut + warpOf() * s.experts, p.correctionBias);
        if (s.keptGroups < s.groups)
            limitToGroups(mine + s.experts, s);
        pickExperts(routing.choices[warpOf()], mine, s);
    }
    __syncthreads();
    listExperts(routing, s.chosen, p.logits.tokens);
    __syncthreads();
}

} // namespace bathyscope::kernels::cuda
