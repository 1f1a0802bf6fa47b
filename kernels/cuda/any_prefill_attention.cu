// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causal attention of a chunk over expanded keys and values: mma.sync on bf16, online softmax in float32
// (arXiv 2205.14135, 2307.08691). A block has 128 queries of one head, a warp 16 of them. Head sizes are
// padded with zeros to 192 (keys) and 128 (values), DeepSeek's own.
#include "kernels/cuda/prefill_params.h"
#include "kernels/cuda/tensor_core.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int queriesPerBlock = 128;
constexpr int keysPerStage = 32; ///< so that cards with 99 KiB of shared memory for a block can run it
constexpr int keySize = 192;
constexpr int valueSize = 128;
constexpr int scoreTiles = keysPerStage / 8;
constexpr int threads = 256;
constexpr int panelBytes = 128; ///< 64 elements: rows are kept in panels of this width
constexpr int queryPanel = queriesPerBlock * panelBytes;
constexpr int keyPanel = keysPerStage * panelBytes;
constexpr int keyPanels = keySize / 64;
constexpr int valuePanels = valueSize / 64;
constexpr int stageBytes = keyPanel * (keyPanels + valuePanels);
constexpr int queryBytes = queryPanel * keyPanels;
constexpr float log2e = 1.4426950408889634F;
constexpr float minusInfinity = -INFINITY;

struct Place {
    int head = static_cast<int>(blockIdx.y);
    int firstQuery; ///< token of the chunk
    int lane = threadIdx.x % 32;
    int warp = threadIdx.x / 32;
};

/// 16 bytes of a row's key or value; chunk counts through both.
__device__ __forceinline__ void copyKeyChunk(const PrefillAttentionParams &p, const Place &place,
                                             std::uint32_t stage, int row, int position, int end, int chunk)
{
    const bool isValue = chunk >= keySize / 8;
    const int c = isValue ? chunk - keySize / 8 : chunk;
    const std::int64_t at = position * p.keyStride + place.head / p.sharing * p.headStride + c * 8;
    const Bf16 *from = nullptr;
    if (isValue)
        from = c * 8 < p.value ? static_cast<const Bf16 *>(p.values) + at : nullptr;
    else if (c * 8 < p.nope)
        from = static_cast<const Bf16 *>(p.keys) + at;
    else if (c * 8 < p.nope + p.rope)
        from = static_cast<const Bf16 *>(p.rotated) + position * p.rotatedStride + c * 8 - p.nope;
    const bool there = from && position < end;
    const std::uint32_t panel = stage + chunk / 8 * keyPanel;
    copyAsync16(panel + swizzled(row, chunk % 8), there ? from : p.keys, there ? 16 : 0);
}

__device__ __forceinline__ void copyKeys(const PrefillAttentionParams &p, const Place &place,
                                         std::uint32_t stage, int first, int end)
{
    constexpr int chunks = (keySize + valueSize) / 8;
    for (int i = threadIdx.x; i < keysPerStage * chunks; i += threads) {
        const int row = i / chunks;
        copyKeyChunk(p, place, stage, row, first + row, end, i % chunks);
    }
}

__device__ __forceinline__ void copyQueries(const PrefillAttentionParams &p, const Place &place,
                                            std::uint32_t to)
{
    constexpr int chunks = keySize / 8;
    for (int i = threadIdx.x; i < queriesPerBlock * chunks; i += threads) {
        const int row = i / chunks;
        const int chunk = i % chunks;
        const int token = place.firstQuery + row;
        const bool there = token < p.tokens && chunk * 8 < p.nope + p.rope;
        const auto *from = static_cast<const Bf16 *>(p.queries) + token * p.queryStride
            + place.head * (p.nope + p.rope) + chunk * 8;
        copyAsync16(to + chunk / 8 * queryPanel + swizzled(row, chunk % 8), there ? from : p.queries,
                    there ? 16 : 0);
    }
}

/// Rotates the queries' last part where they lie.
__device__ __forceinline__ void rotateQueries(const PrefillAttentionParams &p, const Place &place,
                                              std::uint8_t *queries)
{
    const int half = p.rope / 2;
    const auto at = [&](int row, int column) {
        return reinterpret_cast<Bf16 *>(queries + column / 64 * queryPanel + swizzled(row, column % 64 / 8)
                                        + column % 8 * 2);
    };
    for (int i = threadIdx.x; i < queriesPerBlock * half; i += threads) {
        const int row = i / half;
        const int pair = i % half;
        const int token = min(place.firstQuery + row, p.tokens - 1);
        const float cosine = p.cosines[std::int64_t(token) * half + pair];
        const float sine = p.sines[std::int64_t(token) * half + pair];
        Bf16 *first = at(row, p.nope + (p.halves ? pair : 2 * pair));
        Bf16 *second = at(row, p.nope + (p.halves ? pair + half : 2 * pair + 1));
        const float x = __bfloat162float(*first);
        const float y = __bfloat162float(*second);
        *first = __float2bfloat16(x * cosine - y * sine);
        *second = __float2bfloat16(x * sine + y * cosine);
    }
}

/// scores[16 queries, 32 keys] of a warp.
__device__ __forceinline__ void multiplyKeys(float (&scores)[scoreTiles][4], std::uint32_t queries,
                                             std::uint32_t keys, const Place &place)
{
#pragma unroll
    for (int step = 0; step < keySize / 16; ++step) {
        const int panel = step / 4;
        const int chunk = step % 4 * 2;
        std::uint32_t q[4];
        loadMatrices(q,
                     queries + panel * queryPanel
                         + swizzled(place.warp * 16 + place.lane % 16, chunk + place.lane / 16));
#pragma unroll
        for (int j = 0; j < scoreTiles / 2; ++j) {
            std::uint32_t k[4];
            loadMatrices(
                k,
                keys + panel * keyPanel
                    + swizzled(j * 16 + place.lane / 16 * 8 + place.lane % 8, chunk + place.lane / 8 % 2));
            multiplyAdd(scores[2 * j], q, k[0], k[1]);
            multiplyAdd(scores[2 * j + 1], q, k[2], k[3]);
        }
    }
}

/// out[16, 128] += weights[16, 32] · values[32, 128].
__device__ __forceinline__ void multiplyValues(float (&out)[16][4], const float (&weights)[scoreTiles][4],
                                               std::uint32_t values, const Place &place)
{
#pragma unroll
    for (int step = 0; step < keysPerStage / 16; ++step) {
        const std::uint32_t w[4] = {packBf16(weights[2 * step][0], weights[2 * step][1]),
                                    packBf16(weights[2 * step][2], weights[2 * step][3]),
                                    packBf16(weights[2 * step + 1][0], weights[2 * step + 1][1]),
                                    packBf16(weights[2 * step + 1][2], weights[2 * step + 1][3])};
#pragma unroll
        for (int j = 0; j < valueSize / 16; ++j) {
            std::uint32_t v[4];
            loadMatricesTransposed(v,
                                   values + j / 4 * keyPanel
                                       + swizzled(step * 16 + place.lane % 16, j % 4 * 2 + place.lane / 16));
            multiplyAdd(out[2 * j], w, v[0], v[1]);
            multiplyAdd(out[2 * j + 1], w, v[2], v[3]);
        }
    }
}

/// Largest score and sum of weights of a lane's two rows, as far as they were seen.
struct Softmax {
    float maximum[2] = {minusInfinity, minusInfinity};
    float sum[2] = {0, 0};

    /// Scores become weights; out is brought to the new maximum. `factor`: softmax scale times log2(e).
    __device__ __forceinline__ void update(float (&scores)[scoreTiles][4], float (&out)[16][4], float factor)
    {
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            float largest = maximum[h];
#pragma unroll
            for (int j = 0; j < scoreTiles; ++j)
                largest = fmaxf(largest, fmaxf(scores[j][2 * h], scores[j][2 * h + 1]));
            largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 1));
            largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 2));
            // A row that saw no key yet keeps weights of zero.
            const float shift = largest == minusInfinity ? 0.0F : largest * factor;
            const float correction = exp2f(maximum[h] * factor - shift);
            maximum[h] = largest;
            float added = 0;
#pragma unroll
            for (int j = 0; j < scoreTiles; ++j)
#pragma unroll
                for (int e = 2 * h; e < 2 * h + 2; ++e) {
                    scores[j][e] = exp2f(fmaf(scores[j][e], factor, -shift));
                    added += scores[j][e];
                }
            sum[h] = sum[h] * correction + added;
#pragma unroll
            for (int j = 0; j < 16; ++j) {
                out[j][2 * h] *= correction;
                out[j][2 * h + 1] *= correction;
            }
        }
    }
};

__device__ __forceinline__ void maskFuture(float (&scores)[scoreTiles][4], const PrefillAttentionParams &p,
                                           const Place &place, int firstKey)
{
    const int query = p.firstPosition + place.firstQuery + place.warp * 16 + place.lane / 4;
#pragma unroll
    for (int j = 0; j < scoreTiles; ++j)
#pragma unroll
        for (int e = 0; e < 4; ++e)
            if (firstKey + j * 8 + place.lane % 4 * 2 + e % 2 > query + e / 2 * 8)
                scores[j][e] = minusInfinity;
}

__device__ __forceinline__ void storeRows(const float (&out)[16][4], Softmax &softmax,
                                          const PrefillAttentionParams &p, const Place &place)
{
#pragma unroll
    for (int h = 0; h < 2; ++h) {
        float sum = softmax.sum[h];
        sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 1);
        sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 2);
        const float inverse = 1.0F / sum;
        const int token = place.firstQuery + place.warp * 16 + place.lane / 4 + h * 8;
        if (token >= p.tokens)
            continue;
        Bf16 *row = static_cast<Bf16 *>(p.out) + token * p.outStride + place.head * p.value;
#pragma unroll
        for (int j = 0; j < 16; ++j) {
            const int column = j * 8 + place.lane % 4 * 2;
            if (column < p.value)
                *reinterpret_cast<std::uint32_t *>(row + column) =
                    packBf16(out[j][2 * h] * inverse, out[j][2 * h + 1] * inverse);
        }
    }
}

} // namespace

extern "C" __global__ void __launch_bounds__(threads, 1)
    prefill_attention(const __grid_constant__ PrefillAttentionParams p)
{
    extern __shared__ __align__(1024) std::uint8_t shared[];
    Place place;
    // The last queries see the most keys: they begin first.
    place.firstQuery = static_cast<int>(gridDim.x - 1 - blockIdx.x) * queriesPerBlock;
    const std::uint32_t queries = sharedAddress(shared);
    const auto stage = [&](int block) { return queries + queryBytes + block % 2 * stageBytes; };
    const int lastQuery = min(place.firstQuery + queriesPerBlock, p.tokens) - 1;
    const int end = p.firstPosition + lastQuery + 1;
    const int blocks = (end + keysPerStage - 1) / keysPerStage;

    copyQueries(p, place, queries);
    copyKeys(p, place, stage(0), 0, end);
    commitCopies();
    waitForCopies<0>();
    __syncthreads();
    rotateQueries(p, place, shared);
    float out[16][4] = {};
    Softmax softmax;
    for (int block = 0; block < blocks; ++block) {
        waitForCopies<0>();
        __syncthreads();
        if (block + 1 < blocks)
            copyKeys(p, place, stage(block + 1), (block + 1) * keysPerStage, end);
        commitCopies();
        float scores[scoreTiles][4] = {};
        multiplyKeys(scores, queries, stage(block), place);
        if ((block + 1) * keysPerStage > p.firstPosition + place.firstQuery)
            maskFuture(scores, p, place, block * keysPerStage);
        softmax.update(scores, out, p.scale * log2e);
        multiplyValues(out, scores, stage(block) + keyPanels * keyPanel, place);
    }
    storeRows(out, softmax, p, place);
}

} // namespace bathyscope::kernels::cuda
