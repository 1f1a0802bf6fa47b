// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the decode kernels share: overlap with the kernel before, sums, and stored numbers made float32.
#pragma once

#include "kernels/cuda/decode_params.h"

#include <cuda_bf16.h>
#include <cuda_fp16.h>

namespace bathyscope::kernels::cuda {

constexpr int decodeWarps = decodeThreads / 32;
constexpr int decodeMaxWarps = decodeMaxThreads / 32;

__device__ __forceinline__ int warpOf()
{
    return static_cast<int>(threadIdx.x) / 32;
}

__device__ __forceinline__ int laneOf()
{
    return static_cast<int>(threadIdx.x) % 32;
}

/// Waits until all kernels before have ended, then lets the next one begin. What they wrote is read past
/// the L1 cache, which may hold what was there before. Since each kernel does this, one that has begun
/// knows that the kernel before the last has ended.
__device__ __forceinline__ void waitForKernelBefore()
{
#if __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
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

/// Asks for this block's share of some bytes to be brought to the L2 cache.
__device__ __forceinline__ void prefetchShare(const Prefetch &p, int block, int blocks)
{
    constexpr std::int64_t piece = 2048;
    for (std::int64_t at = (static_cast<std::int64_t>(threadIdx.x) * blocks + block) * piece; at < p.bytes;
         at += static_cast<std::int64_t>(decodeThreads) * blocks * piece) {
        const char *address = static_cast<const char *>(p.data) + at;
        const auto size = static_cast<std::uint32_t>(min(p.bytes - at, piece) / 16 * 16);
#if __CUDA_ARCH__ >= 900
        if (size > 0)
            asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(address), "r"(size) : "memory");
#else
        for (std::uint32_t i = 0; i < size; i += 128)
            asm volatile("prefetch.global.L2 [%0];" ::"l"(address + i));
#endif
    }
}

/// The layer's part of the cache. What a step says was written before the graph began: it can be read before
/// the kernel waits, but past the L1 cache, which kernels that overlap do not find emptied.
template <typename Params>
__device__ __forceinline__ __half *cacheOf(const Params &p)
{
    const auto address = __ldcg(reinterpret_cast<const unsigned long long *>(&p.step->cache));
    const auto stride = __ldcg(reinterpret_cast<const long long *>(&p.step->cacheLayerStride));
    return reinterpret_cast<__half *>(address) + p.layer * stride;
}

/// Elements in 16 bytes, which is what a lane reads at once.
template <DType dtype>
constexpr int pieceElements = dtype == DType::F8E4M3 ? 16
    : dtype == DType::F32                            ? 4
                                                     : 8;

/// 16 bytes of weights, which are read once a step and by no other block.
__device__ __forceinline__ uint4 loadWeights(const void *address)
{
    uint4 v;
    asm volatile("ld.global.nc.L1::no_allocate.L2::256B.v4.u32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(v.x), "=r"(v.y), "=r"(v.z), "=r"(v.w)
                 : "l"(address));
    return v;
}

/// A block's scale, in the order of the program like the weights.
__device__ __forceinline__ float loadScale(const float *address)
{
    float v;
    asm volatile("ld.global.nc.f32 %0, [%1];" : "=f"(v) : "l"(address));
    return v;
}

/// Two e4m3 numbers in the low bytes, as halves times 1 / e4m3Factor.
#if __CUDA_ARCH__ >= 890
constexpr float e4m3Factor = 1.0F;
__device__ __forceinline__ std::uint32_t widenE4m3ToHalves(std::uint32_t pair)
{
    std::uint32_t halves;
    asm("{.reg .b16 low; .reg .b16 high; mov.b32 {low, high}, %1; cvt.rn.f16x2.e4m3x2 %0, low;}"
        : "=r"(halves)
        : "r"(pair));
    return halves;
}
#else
constexpr float e4m3Factor = 256.0F;
__device__ __forceinline__ std::uint32_t widenE4m3ToHalves(std::uint32_t pair)
{
    const std::uint32_t apart = __byte_perm(pair, 0, 0x1404); // each in the high byte of its half
    return (apart & 0x80008000U) | ((apart & 0x7F007F00U) >> 1U);
}
#endif

__device__ __forceinline__ float2 halvesToFloats(std::uint32_t halves)
{
    return __half22float2(*reinterpret_cast<const __half2 *>(&halves));
}

/// Elements 4 * quad to 4 * quad + 3 of 16 bytes, without the block's scale; e4m3 times 1 / e4m3Factor.
template <DType dtype>
__device__ __forceinline__ float4 widenQuad(const uint4 &piece, int quad)
{
    const std::uint32_t words[4] = {piece.x, piece.y, piece.z, piece.w};
    if constexpr (dtype == DType::F32) {
        return {__uint_as_float(words[0]), __uint_as_float(words[1]), __uint_as_float(words[2]),
                __uint_as_float(words[3])};
    } else if constexpr (dtype == DType::BF16) {
        const std::uint32_t low = words[2 * quad];
        const std::uint32_t high = words[2 * quad + 1];
        return {__uint_as_float(low << 16U), __uint_as_float(low & 0xFFFF0000U), __uint_as_float(high << 16U),
                __uint_as_float(high & 0xFFFF0000U)};
    } else {
        const bool e4m3 = dtype == DType::F8E4M3;
        const float2 low = halvesToFloats(e4m3 ? widenE4m3ToHalves(words[quad]) : words[2 * quad % 4]);
        const float2 high =
            halvesToFloats(e4m3 ? widenE4m3ToHalves(words[quad] >> 16U) : words[(2 * quad + 1) % 4]);
        return {low.x, low.y, high.x, high.y};
    }
}

/// Defines the kernels NAME_TYPE(Params), for up to four tokens, and NAME_TYPE_wide(Params), for up to eight,
/// of the template BODY<dtype, wide>(const Params &).
#define BATHYSCOPE_DECODE_KERNEL(name, dtype, wide, Params, body)                                            \
    extern "C" __global__ void __launch_bounds__(decodeMaxThreads) name(const __grid_constant__ Params p)    \
    {                                                                                                        \
        body<dtype, wide>(p);                                                                                \
    }
#define BATHYSCOPE_DECODE_TYPE(name, dtype, Params, body)                                                    \
    BATHYSCOPE_DECODE_KERNEL(name, dtype, false, Params, body)                                               \
    BATHYSCOPE_DECODE_KERNEL(name##_wide, dtype, true, Params, body)
#define BATHYSCOPE_DECODE_KERNELS(name, Params, body)                                                        \
    BATHYSCOPE_DECODE_TYPE(name##_f32, DType::F32, Params, body)                                             \
    BATHYSCOPE_DECODE_TYPE(name##_f16, DType::F16, Params, body)                                             \
    BATHYSCOPE_DECODE_TYPE(name##_bf16, DType::BF16, Params, body)                                           \
    BATHYSCOPE_DECODE_TYPE(name##_e4m3, DType::F8E4M3, Params, body)

} // namespace bathyscope::kernels::cuda
