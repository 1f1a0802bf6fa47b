// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the stages of the decode kernel share: the barrier of the whole grid, sums over a block, and
// activations in shared memory as pairs of 16-bit numbers whose sum keeps float32's leading bits.
#pragma once

#include "kernels/cuda/decode_params.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace bathyscope::kernels::cuda {

constexpr int warpSize32 = 32;
constexpr int decodeWarps = decodeThreads / warpSize32;

/// Small things that a block keeps in shared memory.
struct BlockState {
    alignas(16) uint4 zeros; ///< activations of the tokens that are not there
    float sums[2 * decodeWarps];
    float products[decodeWarps][128]; ///< sums of the warps that share a tile: [matrices, tokens, rows]
    DeviceLayer layer;
    int uniqueExperts;
    short expertOf[decodeMaxTokens * decodeMaxChosen]; ///< the experts that some token chose
    signed char slotOf[decodeMaxTokens * decodeMaxChosen][decodeMaxTokens]; ///< place among its own, or -1
    DecodeChoice choices[decodeMaxTokens][decodeMaxChosen];
    float scores[decodeMaxExperts];
    float ranking[decodeMaxExperts];
    float rows[4][decodeHeadGroup]; ///< attention: one number for each head
};

constexpr int blockStateBytes = (sizeof(BlockState) + 127) / 128 * 128;

/// Weights on their way to one warp. A lane copies and reads its own places only, so that nothing but the
/// copies themselves is waited for.
constexpr int ringPieces = 12; ///< of 16 bytes a lane
struct WeightRing {
    uint4 weights[ringPieces][warpSize32];
    float scales[ringPieces / 2][warpSize32];
};
constexpr int weightRingBytes = decodeWarps * sizeof(WeightRing);
static_assert(blockStateBytes <= decodeStateBytes && weightRingBytes <= decodeRingBytes);

/// Waits of all blocks of a grid for each other. Each block arrives, may do what needs no other block, and
/// waits. The counter is 0 again when the kernel has ended. Whatever another block wrote is read past the L1
/// cache (__ldcg, cp.async.cg), so waiting does not empty it: parameters and stacks stay there.
class GridBarrier {
public:
    __device__ explicit GridBarrier(std::uint32_t *arrivals)
        : m_arrivals(arrivals)
    {
    }

    /// What this block wrote before is seen by those that wait after it.
    __device__ void arrive()
    {
        m_target += gridDim.x;
        __syncthreads();
        if (threadIdx.x == 0)
            asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(m_arrivals) : "memory");
    }

    __device__ void wait()
    {
        if (threadIdx.x == 0) {
            std::uint32_t seen = 0;
            do
                asm volatile("ld.relaxed.gpu.global.u32 %0, [%1];" : "=r"(seen) : "l"(m_arrivals) : "memory");
            while (seen < m_target);
        }
        __syncthreads();
    }

    /// At the end: the last block leaves the counter as it was found.
    __device__ void leave()
    {
        __syncthreads();
        if (threadIdx.x == 0 && atomicAdd(m_arrivals, 1U) + 1 == m_target + gridDim.x)
            *m_arrivals = 0;
    }

private:
    std::uint32_t *m_arrivals;
    std::uint32_t m_target = 0;
};

__device__ __forceinline__ int warpOf()
{
    return static_cast<int>(threadIdx.x) / warpSize32;
}

__device__ __forceinline__ int laneOf()
{
    return static_cast<int>(threadIdx.x) % warpSize32;
}

__device__ __forceinline__ float warpSum(float value)
{
    for (int distance = 16; distance > 0; distance /= 2)
        value += __shfl_xor_sync(0xFFFFFFFFU, value, distance);
    return value;
}

__device__ __forceinline__ float warpMax(float value)
{
    for (int distance = 16; distance > 0; distance /= 2)
        value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, distance));
    return value;
}

/// Sums of two values over the block, for every thread. Synchronises before it returns and after it is
/// entered, so that what a block does around it needs no barrier of its own.
__device__ __noinline__ float2 blockSum(BlockState &state, float first, float second = 0.0F)
{
    first = warpSum(first);
    second = warpSum(second);
    __syncthreads();
    if (laneOf() == 0) {
        state.sums[warpOf()] = first;
        state.sums[decodeWarps + warpOf()] = second;
    }
    __syncthreads();
    float2 sum{0, 0};
    for (int i = 0; i < decodeWarps; ++i) {
        sum.x += state.sums[i];
        sum.y += state.sums[decodeWarps + i];
    }
    return sum;
}

/// Which 16-bit numbers the activations meet weights of a type in: halves for e4m3 and halves, which widen
/// exactly; bfloat16 for the others.
__device__ __forceinline__ bool meetsHalves(DType dtype)
{
    return dtype == DType::F8E4M3 || dtype == DType::F16;
}

__device__ __forceinline__ int elementsOf16Bytes(DType dtype)
{
    return dtype == DType::F8E4M3 ? 16 : dtype == DType::F32 ? 4 : 8;
}

/// Weights are read in units of 128 bytes of a row; elements of one.
__device__ __forceinline__ int elementsOfUnit(DType dtype)
{
    return 8 * elementsOf16Bytes(dtype);
}

__device__ __forceinline__ int roundUp(int value, int multiple)
{
    return (value + multiple - 1) / multiple * multiple;
}

template <typename Pair>
__device__ __forceinline__ std::uint32_t bitsOf(const Pair &pair)
{
    return *reinterpret_cast<const std::uint32_t *>(&pair);
}

/// Activations of some tokens in shared memory, each as the sum of two 16-bit numbers. The high parts of two
/// neighbours stand before their low parts: 16 bytes are what one lane gives to a tensor-core product.
struct SplitVectors {
    std::uint16_t *data;
    int stride; ///< elements of a token, 4 more than a multiple of 128, so that tokens fall into other banks

    /// Where `index`, a multiple of 4, of a token begins.
    __device__ __forceinline__ const std::uint16_t *at(int token, int index) const
    {
        return data + 2 * (token * stride + index);
    }

    /// Four neighbours from `index`, a multiple of 4, on.
    __device__ __forceinline__ void storeFour(bool halves, int token, int index, const float4 &v) const
    {
        uint4 words;
        if (halves) {
            const auto limited = [](float f) { return fminf(fmaxf(f, -65504.0F), 65504.0F); };
            const __half2 a = __floats2half2_rn(limited(v.x), limited(v.y));
            const __half2 b = __floats2half2_rn(limited(v.z), limited(v.w));
            const float2 fa = __half22float2(a);
            const float2 fb = __half22float2(b);
            const __half2 c = __floats2half2_rn(v.x - fa.x, v.y - fa.y);
            const __half2 d = __floats2half2_rn(v.z - fb.x, v.w - fb.y);
            words = {bitsOf(a), bitsOf(c), bitsOf(b), bitsOf(d)};
        } else {
            const __nv_bfloat162 a = __floats2bfloat162_rn(v.x, v.y);
            const __nv_bfloat162 b = __floats2bfloat162_rn(v.z, v.w);
            const float2 fa = __bfloat1622float2(a);
            const float2 fb = __bfloat1622float2(b);
            const __nv_bfloat162 c = __floats2bfloat162_rn(v.x - fa.x, v.y - fa.y);
            const __nv_bfloat162 d = __floats2bfloat162_rn(v.z - fb.x, v.w - fb.y);
            words = {bitsOf(a), bitsOf(c), bitsOf(b), bitsOf(d)};
        }
        *reinterpret_cast<uint4 *>(data + 2 * (token * stride + index)) = words;
    }

    __device__ __forceinline__ void store(bool halves, int token, int index, float value) const
    {
        std::uint16_t *high = data + 2 * (token * stride + index / 2 * 2) + index % 2;
        if (halves) {
            const __half h = __float2half_rn(fminf(fmaxf(value, -65504.0F), 65504.0F));
            high[0] = __half_as_ushort(h);
            high[2] = __half_as_ushort(__float2half_rn(value - __half2float(h)));
        } else {
            const __nv_bfloat16 h = __float2bfloat16_rn(value);
            high[0] = __bfloat16_as_ushort(h);
            high[2] = __bfloat16_as_ushort(__float2bfloat16_rn(value - __bfloat162float(h)));
        }
    }
};

__device__ __forceinline__ SplitVectors splitVectors(unsigned char *shared, int elements)
{
    return {reinterpret_cast<std::uint16_t *>(shared), roundUp(elements, 128) + 4};
}

/// Tokens of `elements` activations that fit the shared memory.
__device__ __forceinline__ int tokensThatFit(int elements, int sharedBytes)
{
    return max(1, sharedBytes / ((roundUp(elements, 128) + 4) * 4));
}

/// Copies one token's vector into shared memory, times `factor`; zeros up to the next unit.
struct StageVectorParams {
    const float *from; ///< [n], written by other blocks, 16-byte aligned
    float factor;
    int n; ///< a multiple of 4
    int token; ///< in shared memory
    int at; ///< first element in shared memory
    DType dtype; ///< of the weights it will meet
};
__device__ __noinline__ void stageVector(const SplitVectors &to, const StageVectorParams &p)
{
    const bool halves = meetsHalves(p.dtype);
    const int padded = roundUp(p.n, elementsOfUnit(p.dtype));
#pragma unroll 2
    for (int i = 4 * static_cast<int>(threadIdx.x); i < padded; i += 4 * decodeThreads) {
        float4 v{};
        if (i < p.n) {
            v = __ldcg(reinterpret_cast<const float4 *>(p.from + i));
            v = {v.x * p.factor, v.y * p.factor, v.z * p.factor, v.w * p.factor};
        }
        to.storeFour(halves, p.token, p.at + i, v);
    }
}

/// 1 / sqrt(mean(x²) + epsilon), for every thread.
__device__ __noinline__ float normFactor(BlockState &state, const float *x, int n, float epsilon)
{
    float squares = 0;
    for (int i = 4 * static_cast<int>(threadIdx.x); i < n; i += 4 * decodeThreads) {
        const float4 v = __ldcg(reinterpret_cast<const float4 *>(x + i));
        squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
    }
    return rsqrtf(blockSum(state, squares).x / static_cast<float>(n) + epsilon);
}

/// One token's normalised vector into shared memory. Of up to 8,192 elements each thread keeps its own in
/// registers between their sum and their use, so that memory is waited for once.
struct StageNormalisedParams {
    const float *from; ///< [n], 16-byte aligned
    const float *weight; ///< [n], likewise
    float epsilon;
    int n; ///< a multiple of 4, at most 8,192
    int token; ///< in shared memory
    DType dtype; ///< of the weights it will meet
};
__device__ __noinline__ void stageNormalised(BlockState &state, const SplitVectors &to,
                                             const StageNormalisedParams &p)
{
    constexpr int kept = 4;
    constexpr int step = 4 * decodeThreads;
    const int mine = 4 * static_cast<int>(threadIdx.x);
    float4 values[kept] = {};
    float squares = 0;
#pragma unroll
    for (int i = 0; i < kept; ++i) {
        if (i * step >= p.n)
            break;
        if (mine + i * step < p.n) {
            const float4 v = __ldcg(reinterpret_cast<const float4 *>(p.from + mine + i * step));
            const float4 w = *reinterpret_cast<const float4 *>(p.weight + mine + i * step);
            squares += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
            values[i] = {v.x * w.x, v.y * w.y, v.z * w.z, v.w * w.w};
        }
    }
    const float f = rsqrtf(blockSum(state, squares).x / static_cast<float>(p.n) + p.epsilon);
    const bool halves = meetsHalves(p.dtype);
    const int padded = roundUp(p.n, elementsOfUnit(p.dtype));
#pragma unroll
    for (int i = 0; i < kept; ++i) {
        if (i * step >= padded)
            break;
        const float4 v{values[i].x * f, values[i].y * f, values[i].z * f, values[i].w * f};
        if (mine + i * step < padded)
            to.storeFour(halves, p.token, mine + i * step, v);
    }
}

/// Asks for a block's share of some bytes to be brought to the L2 cache.
__device__ __forceinline__ void prefetchShare(const void *data, std::int64_t bytes, int block, int blocks)
{
    constexpr std::int64_t piece = 4096;
    const std::int64_t pieces = (bytes + piece - 1) / piece;
    for (std::int64_t i = static_cast<int>(threadIdx.x) * blocks + block; i < pieces;
         i += static_cast<std::int64_t>(decodeThreads) * blocks) {
        const char *address = static_cast<const char *>(data) + i * piece;
        const std::int64_t left = bytes - i * piece;
        const auto size = static_cast<std::uint32_t>(left < piece ? left / 16 * 16 : piece);
#if __CUDA_ARCH__ >= 900
        if (size > 0)
            asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(address), "r"(size) : "memory");
#else
        for (std::uint32_t at = 0; at < size; at += 128)
            asm volatile("prefetch.global.L2 [%0];" ::"l"(address + at));
#endif
    }
}

/// One stored element, widened.
__device__ __forceinline__ float widen(const void *data, DType dtype, std::int64_t index)
{
    switch (dtype) {
    case DType::F32:
        return static_cast<const float *>(data)[index];
    case DType::F16:
        return __half2float(static_cast<const __half *>(data)[index]);
    case DType::BF16:
        return __bfloat162float(static_cast<const __nv_bfloat16 *>(data)[index]);
    default: {
        // e4m3's bits, moved into a half, read as the value times 2^-8.
        const unsigned bits = static_cast<const unsigned char *>(data)[index];
        return __half2float(
                   __ushort_as_half(static_cast<unsigned short>((bits & 0x80U) << 8U | (bits & 0x7FU) << 7U)))
            * 256.0F;
    }
    }
}

} // namespace bathyscope::kernels::cuda
