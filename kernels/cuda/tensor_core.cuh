// SPDX-License-Identifier: GPL-3.0-or-later
//
// The instructions that the tensor-core kernels are made of: asynchronous copies, matrix loads, mma.sync on
// bf16, and the conversions on the way (PTX ISA, "Matrix fragments for mma.m16n8k16").
#pragma once

#include <cstdint>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

namespace bathyscope::kernels::cuda {

using Bf16 = __nv_bfloat16;

__device__ __forceinline__ std::uint32_t sharedAddress(const void *pointer)
{
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

/// Copies `bytes` (0 to 16) to a shared address and fills the rest of the 16 with zeros.
__device__ __forceinline__ void copyAsync16(std::uint32_t to, const void *from, int bytes)
{
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

__device__ __forceinline__ void commitCopies()
{
    asm volatile("cp.async.commit_group;" ::: "memory");
}

template <int Pending>
__device__ __forceinline__ void waitForCopies()
{
    asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

__device__ __forceinline__ void storeShared16(std::uint32_t to, uint4 value)
{
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(value.x), "r"(value.y),
                 "r"(value.z), "r"(value.w)
                 : "memory");
}

/// Four 8×8 matrices of 2-byte elements; each lane gives the address of a row.
__device__ __forceinline__ void loadMatrices(std::uint32_t (&r)[4], std::uint32_t address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
}

__device__ __forceinline__ void loadMatricesTransposed(std::uint32_t (&r)[4], std::uint32_t address)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(address)
                 : "memory");
}

/// d[16, 8] += a[16, 16] · b[16, 8].
__device__ __forceinline__ void multiplyAdd(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0,
                                            std::uint32_t b1)
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
                 "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
                 : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

/// Offset of 16-byte chunk `chunk` of row `row` in a tile with rows of 128 bytes: chunks of eight rows that
/// stand below each other fall into different banks.
__device__ __forceinline__ std::uint32_t swizzled(int row, int chunk)
{
    return static_cast<std::uint32_t>(row * 128 + ((chunk ^ (row & 7)) << 4));
}

__device__ __forceinline__ std::uint32_t packBf16(float low, float high)
{
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    return *reinterpret_cast<const std::uint32_t *>(&pair);
}

/// A number as the cache holds it.
__device__ __forceinline__ __half toCached(float value)
{
    return __float2half_rn(fminf(fmaxf(value, -65504.0F), 65504.0F));
}

/// Two e4m3 bytes, at bits 8 and 24, to bf16. The exponent's bias is mended by a multiplication with 2^120,
/// which also makes subnormals right.
__device__ __forceinline__ std::uint32_t widenE4m3Pair(std::uint32_t bytes)
{
    const std::uint32_t shifted = (bytes & 0x80008000U) | ((bytes & 0x7F007F00U) >> 4U);
    std::uint32_t result;
    asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(result) : "r"(shifted), "r"(0x7B807B80U), "r"(0x80008000U));
    return result;
}

/// Eight e4m3 numbers to bf16.
__device__ __forceinline__ uint4 widenE4m3(uint2 bytes)
{
    return {widenE4m3Pair(__byte_perm(bytes.x, 0, 0x1404)), widenE4m3Pair(__byte_perm(bytes.x, 0, 0x3424)),
            widenE4m3Pair(__byte_perm(bytes.y, 0, 0x1404)), widenE4m3Pair(__byte_perm(bytes.y, 0, 0x3424))};
}

/// Largest finite e4m3 number.
constexpr float largestE4m3 = 448;

/// Two numbers, rounded to the nearest e4m3; the first in the low byte. Their size must be 448 at the most.
__device__ __forceinline__ std::uint16_t narrowToE4m3(float low, float high)
{
    return __nv_cvt_float2_to_fp8x2({low, high}, __NV_SATFINITE, __NV_E4M3);
}

/// How a stored type is read: one element widened, or eight as they are (Raw), to be made bf16 later, so
/// that many loads can be under way.
struct StoredF32 {
    static constexpr int bytes = 4;
    struct Raw {
        float4 low, high;
    };
    static __device__ float widen(const void *p, std::int64_t i) { return static_cast<const float *>(p)[i]; }
    static __device__ Raw load(const void *p, std::int64_t i)
    {
        const auto *from = reinterpret_cast<const float4 *>(static_cast<const float *>(p) + i);
        return {__ldg(from), __ldg(from + 1)};
    }
    static __device__ uint4 toBf16(const Raw &r)
    {
        return {packBf16(r.low.x, r.low.y), packBf16(r.low.z, r.low.w), packBf16(r.high.x, r.high.y),
                packBf16(r.high.z, r.high.w)};
    }
};

struct StoredF16 {
    static constexpr int bytes = 2;
    using Raw = uint4;
    static __device__ float widen(const void *p, std::int64_t i)
    {
        return __half2float(static_cast<const __half *>(p)[i]);
    }
    static __device__ Raw load(const void *p, std::int64_t i)
    {
        return __ldg(reinterpret_cast<const uint4 *>(static_cast<const __half *>(p) + i));
    }
    static __device__ std::uint32_t pair(std::uint32_t bits)
    {
        const float2 f = __half22float2(*reinterpret_cast<const __half2 *>(&bits));
        return packBf16(f.x, f.y);
    }
    static __device__ uint4 toBf16(const Raw &r) { return {pair(r.x), pair(r.y), pair(r.z), pair(r.w)}; }
};

struct StoredBf16 {
    static constexpr int bytes = 2;
    using Raw = uint4;
    static __device__ float widen(const void *p, std::int64_t i)
    {
        return __bfloat162float(static_cast<const Bf16 *>(p)[i]);
    }
    static __device__ Raw load(const void *p, std::int64_t i)
    {
        return __ldg(reinterpret_cast<const uint4 *>(static_cast<const Bf16 *>(p) + i));
    }
    static __device__ uint4 toBf16(const Raw &r) { return r; }
};

/// Without its block scale.
struct StoredE4m3 {
    static constexpr int bytes = 1;
    using Raw = uint2;
    static __device__ float widen(const void *p, std::int64_t i)
    {
        const std::uint32_t two =
            widenE4m3Pair(static_cast<std::uint32_t>(static_cast<const std::uint8_t *>(p)[i]) << 8U);
        return __uint_as_float(two << 16U);
    }
    static __device__ Raw load(const void *p, std::int64_t i)
    {
        return __ldg(reinterpret_cast<const uint2 *>(static_cast<const std::uint8_t *>(p) + i));
    }
    static __device__ uint4 toBf16(const Raw &r) { return widenE4m3(r); }
};

/// Bf16 of up to eight elements from i on, where only `valid` of them are there.
template <typename Stored>
__device__ __forceinline__ uint4 partOfEight(const void *p, std::int64_t i, int valid)
{
    float v[8];
#pragma unroll
    for (int j = 0; j < 8; ++j)
        v[j] = j < valid ? Stored::widen(p, i + j) : 0.0F;
    return {packBf16(v[0], v[1]), packBf16(v[2], v[3]), packBf16(v[4], v[5]), packBf16(v[6], v[7])};
}

} // namespace bathyscope::kernels::cuda
