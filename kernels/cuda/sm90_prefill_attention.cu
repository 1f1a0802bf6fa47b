// SPDX-License-Identifier: GPL-3.0-or-later
//
// Causal attention of a chunk on Hopper's warpgroup instructions, otherwise as any_prefill_attention.cu. One
// warpgroup copies keys and values, two have 64 queries each. While a warpgroup's softmax of one block runs,
// its product with the values of the block before is under way (arXiv 2407.08608).
#include "kernels/cuda/prefill_params.h"
#include "kernels/cuda/tensor_core.cuh"
#include "kernels/cuda/warpgroup.cuh"

namespace bathyscope::kernels::cuda {

namespace {

constexpr int queriesPerBlock = 128;
constexpr int keysPerStage = 128;
constexpr int keyPanels = 3; ///< of 64 elements: nope + rope <= 192
constexpr int valuePanels = 2; ///< value <= 128
constexpr int panelBytes = 128 * 128; ///< 128 rows of 64 elements
constexpr int keyBytes = keyPanels * panelBytes;
constexpr int valueBytes = valuePanels * panelBytes;
constexpr int stages = 2;
constexpr int threads = 384;
constexpr float log2e = 1.4426950408889634F;
constexpr float minusInfinity = -INFINITY;

/// Shared memory: queries, then stages of keys and of values, then the barriers of each.
struct Layout {
    std::uint32_t queries;

    __device__ std::uint32_t keys(int block) const { return queries + keyBytes + block % stages * keyBytes; }
    __device__ std::uint32_t values(int block) const
    {
        return queries + (1 + stages) * keyBytes + block % stages * valueBytes;
    }
    __device__ std::uint32_t barriers() const
    {
        return queries + (1 + stages) * keyBytes + stages * valueBytes;
    }
    __device__ std::uint32_t keysFull(int block) const { return barriers() + block % stages * 32; }
    __device__ std::uint32_t keysEmpty(int block) const { return keysFull(block) + 8; }
    __device__ std::uint32_t valuesFull(int block) const { return keysFull(block) + 16; }
    __device__ std::uint32_t valuesEmpty(int block) const { return keysFull(block) + 24; }
};

/// Which round through the stages a block belongs to.
__device__ __forceinline__ int parity(int block)
{
    return block / stages & 1;
}

/// Copies `panels` panels of 128 rows: a thread has chunk `thread % 8` of every 16th row of each. `source`
/// tells where elements 8 * c … of a row begin, null for zeros.
template <int Panels, int Threads, typename Source>
__device__ __forceinline__ void copyRows(std::uint32_t to, int thread, int rows, const Source &source)
{
    const int chunk = thread % 8;
#pragma unroll
    for (int panel = 0; panel < Panels; ++panel)
#pragma unroll 4
        for (int row = thread / 8; row < 128; row += Threads / 8) {
            const Bf16 *from = row < rows ? source(row, panel * 8 + chunk) : nullptr;
            copyAsync16(to + panel * panelBytes + swizzled(row, chunk), from ? from : source(0, 0),
                        from ? 16 : 0);
        }
}

__device__ __forceinline__ void copyKeysAndValues(const PrefillAttentionParams &p, const Layout &shared,
                                                  int head, int end)
{
    const int thread = threadIdx.x % 128;
    const int ofHead = head / p.sharing * p.headStride;
    const auto *keys = static_cast<const Bf16 *>(p.keys) + ofHead;
    const auto *values = static_cast<const Bf16 *>(p.values) + ofHead;
    const auto *rotated = static_cast<const Bf16 *>(p.rotated);
    const std::int64_t stride = p.keyStride;
    for (int block = 0; block * keysPerStage < end; ++block) {
        const int first = block * keysPerStage;
        waitBarrier(shared.keysEmpty(block), parity(block) ^ 1);
        copyRows<keyPanels, 128>(
            shared.keys(block), thread, end - first, [&](int row, int c) -> const Bf16 * {
                if (c * 8 < p.nope)
                    return keys + (first + row) * stride + c * 8;
                return c * 8 < p.nope + p.rope ? rotated + (first + row) * p.rotatedStride + c * 8 - p.nope
                                               : nullptr;
            });
        arriveAfterCopies(shared.keysFull(block));
        waitBarrier(shared.valuesEmpty(block), parity(block) ^ 1);
        copyRows<valuePanels, 128>(shared.values(block), thread, end - first, [&](int row, int c) {
            return c * 8 < p.value ? values + (first + row) * stride + c * 8 : nullptr;
        });
        arriveAfterCopies(shared.valuesFull(block));
    }
}

/// The 256 threads that multiply bring the block's queries, rotated, to shared memory.
__device__ __forceinline__ void loadQueries(const PrefillAttentionParams &p, const Layout &shared,
                                            std::uint8_t *queries, int head, int firstQuery)
{
    const auto *from = static_cast<const Bf16 *>(p.queries) + std::int64_t(firstQuery) * p.queryStride
        + std::int64_t(head) * (p.nope + p.rope);
    copyRows<keyPanels, 256>(
        shared.queries, static_cast<int>(threadIdx.x), p.tokens - firstQuery, [&](int row, int c) {
            return c * 8 < p.nope + p.rope ? from + row * p.queryStride + c * 8 : nullptr;
        });
    commitCopies();
    waitForCopies<0>();
    asm volatile("bar.sync 1, 256;" ::: "memory");
    const int half = p.rope / 2;
    const auto at = [&](int row, int column) {
        return reinterpret_cast<Bf16 *>(queries + column / 64 * panelBytes + swizzled(row, column % 64 / 8)
                                        + column % 8 * 2);
    };
    for (int i = threadIdx.x; i < queriesPerBlock * half; i += 256) {
        const int row = i / half;
        const int pair = i % half;
        const std::int64_t angle = std::int64_t(min(firstQuery + row, p.tokens - 1)) * half + pair;
        Bf16 *first = at(row, p.nope + (p.halves ? pair : 2 * pair));
        Bf16 *second = at(row, p.nope + (p.halves ? pair + half : 2 * pair + 1));
        const float x = __bfloat162float(*first);
        const float y = __bfloat162float(*second);
        *first = __float2bfloat16(x * p.cosines[angle] - y * p.sines[angle]);
        *second = __float2bfloat16(x * p.sines[angle] + y * p.cosines[angle]);
    }
    fenceAsync();
    asm volatile("bar.sync 1, 256;" ::: "memory");
}

/// scores = queries · keysᵀ, begun.
__device__ __forceinline__ void beginScores(float (&scores)[64], std::uint32_t queries, std::uint32_t keys)
{
    beginWgmma();
#pragma unroll
    for (int step = 0; step < keyPanels * 4; ++step) {
        const std::uint32_t offset = step / 4 * panelBytes + step % 4 * 32;
        wgmmaBf16(scores, tileDescriptor(queries + offset), tileDescriptor(keys + offset), step);
    }
    commitWgmma();
}

/// out += weights · values, begun. Values lie as [key, element]: the panels are the descriptor's first
/// stride, groups of eight keys the second.
__device__ __forceinline__ void beginOut(float (&out)[64], const std::uint32_t (&weights)[32],
                                         std::uint32_t values)
{
    beginWgmma();
#pragma unroll
    for (int step = 0; step < keysPerStage / 16; ++step)
        wgmmaBf16Weights(out, &weights[step * 4], tileDescriptor(values + step * 2048, panelBytes));
    commitWgmma();
}

/// Largest score and sum of weights of a thread's two rows, as far as they were seen.
struct Softmax {
    float maximum[2] = {minusInfinity, minusInfinity};
    float sum[2] = {0, 0};
    float correction[2] = {1, 1}; ///< what all before must be multiplied with

    /// Scores become weights. `factor`: softmax scale times log2(e).
    __device__ __forceinline__ void update(float (&scores)[64], float factor)
    {
#pragma unroll
        for (int h = 0; h < 2; ++h) {
            float largest = maximum[h];
#pragma unroll
            for (int i = 0; i < 32; ++i)
                largest = fmaxf(largest, scores[i / 2 * 4 + h * 2 + i % 2]);
            largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 1));
            largest = fmaxf(largest, __shfl_xor_sync(0xFFFFFFFFU, largest, 2));
            const float shift = largest == minusInfinity ? 0.0F : largest * factor;
            correction[h] = exp2f(maximum[h] * factor - shift);
            maximum[h] = largest;
            float added = 0;
#pragma unroll
            for (int i = 0; i < 32; ++i) {
                float &score = scores[i / 2 * 4 + h * 2 + i % 2];
                score = exp2f(fmaf(score, factor, -shift));
                added += score;
            }
            sum[h] = sum[h] * correction[h] + added;
        }
    }
};

__device__ __forceinline__ int rowOfThread()
{
    return static_cast<int>(threadIdx.x / 32 * 16 + threadIdx.x % 32 / 4);
}

__device__ __forceinline__ void maskFuture(float (&scores)[64], int query, int firstKey)
{
#pragma unroll
    for (int i = 0; i < 64; ++i)
        if (firstKey + i / 4 * 8 + static_cast<int>(threadIdx.x % 4) * 2 + i % 2 > query + i % 4 / 2 * 8)
            scores[i] = minusInfinity;
}

__device__ __forceinline__ void storeRows(const float (&out)[64], const Softmax &softmax,
                                          const PrefillAttentionParams &p, int head, int firstQuery)
{
#pragma unroll
    for (int h = 0; h < 2; ++h) {
        float sum = softmax.sum[h];
        sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 1);
        sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 2);
        const float inverse = 1.0F / sum;
        const int token = firstQuery + rowOfThread() + h * 8;
        if (token >= p.tokens)
            continue;
        Bf16 *row = static_cast<Bf16 *>(p.out) + token * p.outStride + std::int64_t(head) * p.value;
#pragma unroll
        for (int j = 0; j < 16; ++j) {
            const int column = j * 8 + static_cast<int>(threadIdx.x % 4) * 2;
            if (column < p.value)
                *reinterpret_cast<std::uint32_t *>(row + column) =
                    packBf16(out[j * 4 + h * 2] * inverse, out[j * 4 + h * 2 + 1] * inverse);
        }
    }
}

__device__ __forceinline__ void attend(const PrefillAttentionParams &p, const Layout &shared, int head,
                                       int firstQuery, int end)
{
    const int query = p.firstPosition + firstQuery + rowOfThread();
    const std::uint32_t queries = shared.queries + threadIdx.x / 128 * 64 * 128;
    const int blocks = (end + keysPerStage - 1) / keysPerStage;
    float out[64] = {};
    float scores[64];
    std::uint32_t weights[32] = {};
    Softmax softmax;
    const bool signals = threadIdx.x % 32 == 0;
    for (int block = 0; block < blocks; ++block) {
        waitBarrier(shared.keysFull(block), parity(block));
        fenceAsync();
        beginScores(scores, queries, shared.keys(block));
        if (block > 0) {
            waitBarrier(shared.valuesFull(block - 1), parity(block - 1));
            fenceAsync();
            beginOut(out, weights, shared.values(block - 1));
            waitWgmma<1>();
        } else {
            waitWgmma<0>();
        }
        holdRegisters(scores);
        if (signals)
            arrive(shared.keysEmpty(block));
        if ((block + 1) * keysPerStage > p.firstPosition + firstQuery)
            maskFuture(scores, query, block * keysPerStage);
        softmax.update(scores, p.scale * log2e);
        waitWgmma<0>();
        holdRegisters(out);
        holdRegisters(weights);
        if (block > 0 && signals)
            arrive(shared.valuesEmpty(block - 1));
#pragma unroll
        for (int i = 0; i < 64; ++i)
            out[i] *= softmax.correction[i % 4 / 2];
#pragma unroll
        for (int i = 0; i < 32; ++i)
            weights[i] = packBf16(scores[i * 2], scores[i * 2 + 1]);
    }
    waitBarrier(shared.valuesFull(blocks - 1), parity(blocks - 1));
    fenceAsync();
    beginOut(out, weights, shared.values(blocks - 1));
    waitWgmma<0>();
    holdRegisters(out);
    storeRows(out, softmax, p, head, firstQuery);
}

} // namespace

extern "C" __global__ void __launch_bounds__(threads, 1)
    prefill_attention_sm90(const __grid_constant__ PrefillAttentionParams p)
{
    extern __shared__ __align__(1024) std::uint8_t memory[];
    const Layout shared{sharedAddress(memory)};
    if (threadIdx.x == 0) {
        for (int s = 0; s < stages; ++s) {
            initBarrier(shared.keysFull(s), 128);
            initBarrier(shared.keysEmpty(s), 8);
            initBarrier(shared.valuesFull(s), 128);
            initBarrier(shared.valuesEmpty(s), 8);
        }
    }
    __syncthreads();
    const int head = static_cast<int>(blockIdx.x);
    // The last queries see the most keys: they begin first.
    const int firstQuery = static_cast<int>(gridDim.y - 1 - blockIdx.y) * queriesPerBlock;
    const int end = p.firstPosition + min(firstQuery + queriesPerBlock, p.tokens);
    if (threadIdx.x >= 256) {
        giveRegisters<56>();
        copyKeysAndValues(p, shared, head, end);
        waitForCopies<0>();
    } else {
        takeRegisters<224>();
        loadQueries(p, shared, memory, head, firstQuery);
        attend(p, shared, head, firstQuery, end);
    }
}

} // namespace bathyscope::kernels::cuda
