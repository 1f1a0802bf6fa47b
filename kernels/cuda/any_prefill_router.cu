// SPDX-License-Identifier: GPL-3.0-or-later
//
// From normalised rows to rows sorted by expert, without the host: router logits in float32 precision, the
// choice of experts, and the order of the grouped products.
#include "kernels/cuda/prefill_params.h"
#include "kernels/cuda/tensor_core.cuh"

#include <type_traits>

namespace bathyscope::kernels::cuda {

namespace {

constexpr int threads = 256;
constexpr int tokensPerBlock = 16;
constexpr int expertsPerBlock = 64;
constexpr float minusInfinity = -INFINITY;

/// Two float32 numbers as sums of two bf16 each: what is lost is 2^-17 of a number.
struct Split {
    std::uint32_t high;
    std::uint32_t low;
    __device__ Split(float x, float y)
        : high(packBf16(x, y))
        , low(packBf16(x - __uint_as_float(high << 16U), y - __uint_as_float(high & 0xFFFF0000U)))
    {
    }
};

/// Normalised x of one lane's row at columns k and k + 1. Beyond the last token the last one stands in, and
/// no load waits for a decision.
__device__ __forceinline__ Split normalised(const RouterLogitsParams &p, int token, float factor, int k)
{
    const std::int64_t row = min(token, p.tokens - 1);
    const float2 x = *reinterpret_cast<const float2 *>(p.x + row * p.hidden + k);
    const float2 weight = *reinterpret_cast<const float2 *>(p.norm + k);
    return {x.x * factor * weight.x, x.y * factor * weight.y};
}

template <typename Stored>
__device__ __forceinline__ Split stored(const RouterLogitsParams &p, int expert, int k)
{
    const std::int64_t at = std::int64_t(min(expert, p.experts - 1)) * p.hidden + k;
    if constexpr (std::is_same_v<Stored, StoredBf16>) {
        Split pair(0, 0); // as it is
        pair.high = *reinterpret_cast<const std::uint32_t *>(static_cast<const Bf16 *>(p.weights) + at);
        return pair;
    } else if constexpr (Stored::bytes == 4) {
        const float2 v = *reinterpret_cast<const float2 *>(static_cast<const float *>(p.weights) + at);
        return {v.x, v.y};
    } else {
        return {Stored::widen(p.weights, at), Stored::widen(p.weights, at + 1)};
    }
}

/// A block has 16 tokens and 64 experts; its warps share the columns, and add up in shared memory.
template <typename Stored>
__device__ __forceinline__ void routerLogits(const RouterLogitsParams &p)
{
    __shared__ float shared[tokensPerBlock][expertsPerBlock];
    const int lane = threadIdx.x % 32;
    const int firstToken = static_cast<int>(blockIdx.x) * tokensPerBlock;
    const int firstExpert = static_cast<int>(blockIdx.y) * expertsPerBlock;
    for (int i = threadIdx.x; i < tokensPerBlock * expertsPerBlock; i += threads)
        shared[i / expertsPerBlock][i % expertsPerBlock] = 0;
    __syncthreads();
    float factors[2];
    for (int i = 0; i < 2; ++i)
        factors[i] = p.factors[min(firstToken + lane / 4 + i * 8, p.tokens - 1)];
    float sums[8][4] = {};
#pragma unroll 2
    for (int k = threadIdx.x / 32 * 16; k < p.hidden; k += threads / 32 * 16) {
        const int column = k + lane % 4 * 2;
        std::uint32_t high[4];
        std::uint32_t low[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const Split x =
                normalised(p, firstToken + lane / 4 + i % 2 * 8, factors[i % 2], column + i / 2 * 8);
            high[i] = x.high;
            low[i] = x.low;
        }
#pragma unroll
        for (int j = 0; j < 8; ++j) {
            const int expert = firstExpert + j * 8 + lane / 4;
            const Split b0 = stored<Stored>(p, expert, column);
            const Split b1 = stored<Stored>(p, expert, column + 8);
            multiplyAdd(sums[j], high, b0.high, b1.high);
            multiplyAdd(sums[j], low, b0.high, b1.high);
            if constexpr (!std::is_same_v<Stored, StoredBf16>)
                multiplyAdd(sums[j], high, b0.low, b1.low);
        }
    }
    // One warp after the other, so that the sums do not depend on who comes first.
    for (int warp = 0; warp < threads / 32; ++warp) {
        if (threadIdx.x / 32 == warp) {
#pragma unroll
            for (int j = 0; j < 8; ++j)
#pragma unroll
                for (int e = 0; e < 4; ++e)
                    shared[e / 2 * 8 + lane / 4][j * 8 + lane % 4 * 2 + e % 2] += sums[j][e];
        }
        __syncthreads();
    }
    for (int i = threadIdx.x; i < tokensPerBlock * expertsPerBlock; i += threads) {
        const int token = firstToken + i / expertsPerBlock;
        const int expert = firstExpert + i % expertsPerBlock;
        if (token < p.tokens && expert < p.experts)
            p.logits[std::int64_t(token) * p.experts + expert] =
                shared[i / expertsPerBlock][i % expertsPerBlock];
    }
}

/// The larger value; the lower index where two tie.
__device__ __forceinline__ void warpBest(float &value, int &index)
{
    for (int offset = 16; offset > 0; offset /= 2) {
        const float other = __shfl_xor_sync(0xFFFFFFFFU, value, offset);
        const int otherIndex = __shfl_xor_sync(0xFFFFFFFFU, index, offset);
        if (other > value || (other == value && otherIndex < index)) {
            value = other;
            index = otherIndex;
        }
    }
}

__device__ __forceinline__ float warpSum(float value)
{
    for (int offset = 16; offset > 0; offset /= 2)
        value += __shfl_xor_sync(0xFFFFFFFFU, value, offset);
    return value;
}

/// A warp's token: scores and ranking in shared memory, experts spread over the lanes.
struct Chooser {
    const ChooseExpertsParams &p;
    float *scores; ///< [experts]
    float *ranking; ///< [experts]
    int lane = threadIdx.x % 32;

    __device__ void score(const float *logits) const
    {
        float largest = minusInfinity;
        for (int e = lane; e < p.experts; e += 32)
            largest = fmaxf(largest, logits[e]);
        for (int offset = 16; offset > 0; offset /= 2)
            largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, offset));
        float sum = 0;
        for (int e = lane; e < p.experts; e += 32) {
            scores[e] = p.sigmoid ? 1.0F / (1.0F + expf(-logits[e])) : expf(logits[e] - largest);
            sum += scores[e];
        }
        sum = warpSum(sum);
        for (int e = lane; e < p.experts; e += 32) {
            if (!p.sigmoid)
                scores[e] /= sum;
            ranking[e] = scores[e] + (p.bias ? p.bias[e] : 0.0F);
        }
        __syncwarp();
    }

    /// Lane g holds the worth of group g; those not kept lose all their experts.
    __device__ void limitToGroups() const
    {
        const int size = p.experts / p.groups;
        float first = minusInfinity;
        float second = minusInfinity;
        for (int e = lane * size; lane < p.groups && e < (lane + 1) * size; ++e) {
            second = fmaxf(second, fminf(first, ranking[e]));
            first = fmaxf(first, ranking[e]);
        }
        float worth = p.sumOfTwo ? first + second : first;
        bool kept = false;
        for (int i = 0; i < p.keptGroups; ++i) {
            float value = worth;
            int index = lane;
            warpBest(value, index);
            if (index == lane) {
                kept = true;
                worth = minusInfinity;
            }
        }
        for (int e = lane * size; lane < p.groups && !kept && e < (lane + 1) * size; ++e)
            ranking[e] = minusInfinity;
        __syncwarp();
    }

    __device__ void pick(RoutedExpert *out) const
    {
        int mine = 0x7FFFFFFF; // lane i: the i-th choice
        for (int i = 0; i < p.chosen; ++i) {
            float value = minusInfinity;
            int index = i; // where there is nothing but minus infinity left, or no numbers at all
            for (int e = lane; e < p.experts; e += 32)
                if (ranking[e] > value) {
                    value = ranking[e];
                    index = e;
                }
            warpBest(value, index);
            if (lane == i)
                mine = index;
            if (lane == 0)
                ranking[index] = minusInfinity;
            __syncwarp();
        }
        const bool has = lane < p.chosen;
        float weight = has ? scores[mine] : 0.0F;
        float factor = p.factor;
        if (p.normalise)
            factor /= warpSum(weight) + 1e-20F;
        weight *= factor;
        int place = 0; // ascending experts
        for (int i = 0; i < p.chosen; ++i)
            place += __shfl_sync(0xFFFFFFFFU, mine, i) < mine ? 1 : 0;
        if (has)
            out[place] = {static_cast<std::uint16_t>(mine), 0, weight};
    }
};

} // namespace

extern "C" __global__ void __launch_bounds__(threads) router_logits_f32(const RouterLogitsParams p)
{
    routerLogits<StoredF32>(p);
}

extern "C" __global__ void __launch_bounds__(threads) router_logits_f16(const RouterLogitsParams p)
{
    routerLogits<StoredF16>(p);
}

extern "C" __global__ void __launch_bounds__(threads) router_logits_bf16(const RouterLogitsParams p)
{
    routerLogits<StoredBf16>(p);
}

/// A warp a token, four tokens a block; 2 * experts floats of shared memory for each.
extern "C" __global__ void __launch_bounds__(128) choose_experts(const ChooseExpertsParams p)
{
    extern __shared__ float tables[];
    const int warp = threadIdx.x / 32;
    const int token = static_cast<int>(blockIdx.x) * 4 + warp;
    if (token >= p.tokens)
        return;
    const Chooser chooser{p, tables + warp * 2 * p.experts, tables + (warp * 2 + 1) * p.experts};
    chooser.score(p.logits + std::int64_t(token) * p.experts);
    if (p.keptGroups < p.groups)
        chooser.limitToGroups();
    chooser.pick(p.choices + std::int64_t(token) * p.chosen);
}

/// One block of 1,024 threads: counts, places of the groups, and a row for every choice. The order of the
/// rows within a group is left open, since no result depends on it.
extern "C" __global__ void __launch_bounds__(1024) sort_by_expert(const SortByExpertParams p)
{
    __shared__ int counts[1024];
    __shared__ int rows[1024];
    __shared__ int tiles[1024];
    const int thread = static_cast<int>(threadIdx.x);
    counts[thread] = 0;
    __syncthreads();
    for (int i = thread; i < p.count; i += 1024)
        atomicAdd(&counts[p.choices[i].expert], 1);
    __syncthreads();
    rows[thread] = counts[thread];
    tiles[thread] = (counts[thread] + gemmTile - 1) / gemmTile;
    for (int offset = 1; offset < 1024; offset *= 2) { // inclusive sums (Hillis and Steele, 1986)
        __syncthreads();
        const int row = thread >= offset ? rows[thread - offset] : 0;
        const int tile = thread >= offset ? tiles[thread - offset] : 0;
        __syncthreads();
        rows[thread] += row;
        tiles[thread] += tile;
    }
    __syncthreads();
    if (thread < p.experts) {
        p.groupRows[thread + 1] = rows[thread];
        p.groupTiles[thread + 1] = tiles[thread];
    }
    if (thread == 0)
        p.groupRows[0] = p.groupTiles[0] = 0;
    counts[thread] = rows[thread] - counts[thread]; // next free row
    __syncthreads();
    for (int i = thread; i < p.count; i += 1024) {
        const int row = atomicAdd(&counts[p.choices[i].expert], 1);
        p.tokenOfRow[row] = i / p.chosen;
        p.rowOfChoice[i] = row;
    }
}

} // namespace bathyscope::kernels::cuda
