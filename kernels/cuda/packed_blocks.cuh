// SPDX-License-Identifier: GPL-3.0-or-later
//
// GGUF's packed types (ggml-common.h and the reference dequantisation in ggml-quants.c). All of them are
// groups of 16 or 32 small integers with a scale and perhaps an offset: four lanes unpack a group of 32, each
// a word of four integers from its first half and one from its second. Types are read a chunk at a time: a
// block of 256 numbers, or four blocks of 32.
#pragma once

#include "kernels/matrix.h"

#include <cuda_fp16.h>

namespace bathyscope::kernels::cuda {

constexpr int packedGroup = 32; ///< numbers
constexpr int packedMaxChunk = 256; ///< numbers

/// Numbers of a chunk.
__host__ __device__ constexpr int packedChunk(DType dtype)
{
    return dtype >= DType::Q2_K ? packedMaxChunk : packedMaxChunk / 2;
}

template <DType dtype>
constexpr StoredBlock storedBlock = blockOf(dtype);

template <DType dtype>
constexpr int packedChunkBytes = static_cast<int>(packedChunk(dtype) / storedBlock<dtype>.elements
                                                  * storedBlock<dtype>.bytes);

/// A chunk in memory: `base` at a multiple of 4, `offset` even.
struct PackedBytes {
    const std::uint8_t *base;
    int offset;

    /// Four bytes at a multiple of 4.
    [[nodiscard]] __device__ __forceinline__ std::uint32_t aligned(int at) const
    {
        return *reinterpret_cast<const std::uint32_t *>(base + offset + at);
    }

    /// Four bytes at an even place, none behind them.
    [[nodiscard]] __device__ __forceinline__ std::uint32_t word(int at) const
    {
        const int from = offset + at;
        const auto *words = reinterpret_cast<const std::uint32_t *>(base + (from & ~3));
        const std::uint32_t low = words[0];
        return (from & 2) == 0 ? low : __byte_perm(low, words[1], 0x5432);
    }

    [[nodiscard]] __device__ __forceinline__ float half(int at) const
    {
        return __half2float(*reinterpret_cast<const __half *>(base + offset + at));
    }
};

/// A lane's part of 32 numbers: number i of a half is scales[half] * byte i of quants[half] + offsets[half].
/// Types with one scale for the whole group give it in scales[0].
struct PackedGroup {
    std::uint32_t quants[2];
    float scales[2];
    float offsets[2];
};

__device__ __forceinline__ float byteOf(std::uint32_t word, int i)
{
    return static_cast<float>(word >> (8 * i) & 0xFFU);
}

/// `bit` of each byte, for every set bit among the low four.
__device__ __forceinline__ std::uint32_t spreadBits(std::uint32_t bits, int bit)
{
    return ((bits & 15U) * 0x00204081U & 0x01010101U) << bit;
}

/// The numbers that IQ4's four bits stand for, of four in the low nibbles of a word's bytes.
__device__ __forceinline__ std::uint32_t lookUpIq4(std::uint32_t nibbles)
{
    // -127, -104, -83, -65, -49, -35, -22, -10 and 1, 13, 25, 38, 53, 69, 89, 113
    const std::uint32_t pairs = nibbles | nibbles >> 4U; // bytes 0 and 2: two selectors each
    const std::uint32_t selectors = __byte_perm(pairs, 0, 0x4420);
    const std::uint32_t low = __byte_perm(0xBFAD9881U, 0xF6EADDCFU, selectors & 0x7777U);
    const std::uint32_t high = __byte_perm(0x26190D01U, 0x71594535U, selectors & 0x7777U);
    const std::uint32_t isHigh = (nibbles >> 3U & 0x01010101U) * 0xFFU;
    return (low & ~isHigh) | (high & isHigh);
}

/// What 32 or 16 neighbours share.
template <bool two, bool offset>
struct PackedTraits {
    static constexpr bool twoScales = two; ///< 16 numbers share a scale, not 32
    static constexpr bool hasOffsets = offset;
};

/// Packed<T>::Header is what a chunk says of all its groups; group(header, bytes, g, lane) is a lane's part
/// of group g.
template <DType>
struct Packed;

struct NoHeader {
    __device__ __forceinline__ explicit NoHeader(const PackedBytes & /*bytes*/) { }
};

template <>
struct Packed<DType::Q8_0> : PackedTraits<false, false> {
    using Header = NoHeader;
    static __device__ __forceinline__ PackedGroup group(const Header & /*h*/, const PackedBytes &b, int g,
                                                        int lane)
    {
        const int at = 34 * g;
        return {{b.word(at + 2 + 4 * lane), b.word(at + 18 + 4 * lane)}, {b.half(at)}, {}};
    }
};

template <>
struct Packed<DType::Q4_0> : PackedTraits<false, true> {
    using Header = NoHeader;
    static __device__ __forceinline__ PackedGroup group(const Header & /*h*/, const PackedBytes &b, int g,
                                                        int lane)
    {
        const int at = 18 * g;
        const std::uint32_t w = b.word(at + 2 + 4 * lane);
        const float d = b.half(at);
        return {{w & 0x0F0F0F0FU, w >> 4U & 0x0F0F0F0FU}, {d}, {-8 * d}};
    }
};

template <>
struct Packed<DType::Q4_1> : PackedTraits<false, true> {
    using Header = NoHeader;
    static __device__ __forceinline__ PackedGroup group(const Header & /*h*/, const PackedBytes &b, int g,
                                                        int lane)
    {
        const int at = 20 * g;
        const std::uint32_t w = b.aligned(at + 4 + 4 * lane);
        return {{w & 0x0F0F0F0FU, w >> 4U & 0x0F0F0F0FU}, {b.half(at)}, {b.half(at + 2)}};
    }
};

template <>
struct Packed<DType::Q5_0> : PackedTraits<false, true> {
    using Header = NoHeader;
    static __device__ __forceinline__ PackedGroup group(const Header & /*h*/, const PackedBytes &b, int g,
                                                        int lane)
    {
        const int at = 22 * g;
        const std::uint32_t fifths = b.word(at + 2) >> (4 * lane);
        const std::uint32_t w = b.word(at + 6 + 4 * lane);
        const float d = b.half(at);
        return {{(w & 0x0F0F0F0FU) | spreadBits(fifths, 4),
                 (w >> 4U & 0x0F0F0F0FU) | spreadBits(fifths >> 16U, 4)},
                {d},
                {-16 * d}};
    }
};

template <>
struct Packed<DType::Q5_1> : PackedTraits<false, true> {
    using Header = NoHeader;
    static __device__ __forceinline__ PackedGroup group(const Header & /*h*/, const PackedBytes &b, int g,
                                                        int lane)
    {
        const int at = 24 * g;
        const std::uint32_t fifths = b.aligned(at + 4) >> (4 * lane);
        const std::uint32_t w = b.aligned(at + 8 + 4 * lane);
        return {{(w & 0x0F0F0F0FU) | spreadBits(fifths, 4),
                 (w >> 4U & 0x0F0F0F0FU) | spreadBits(fifths >> 16U, 4)},
                {b.half(at)},
                {b.half(at + 2)}};
    }
};

template <>
struct Packed<DType::IQ4_NL> : PackedTraits<false, false> {
    using Header = NoHeader;
    static __device__ __forceinline__ PackedGroup group(const Header & /*h*/, const PackedBytes &b, int g,
                                                        int lane)
    {
        const int at = 18 * g;
        const std::uint32_t w = b.word(at + 2 + 4 * lane);
        return {{lookUpIq4(w & 0x0F0F0F0FU), lookUpIq4(w >> 4U & 0x0F0F0F0FU)}, {b.half(at)}, {}};
    }
};

template <>
struct Packed<DType::Q2_K> : PackedTraits<true, true> {
    struct Header {
        float d;
        float dmin;
        __device__ __forceinline__ explicit Header(const PackedBytes &b)
            : d(b.half(80))
            , dmin(b.half(82))
        {
        }
    };
    static __device__ __forceinline__ PackedGroup group(const Header &h, const PackedBytes &b, int g,
                                                        int lane)
    {
        PackedGroup out{};
        // Of 16 numbers a byte: low nibble scale, high nibble offset.
        const std::uint32_t scales = b.aligned(g / 2 * 4) >> (16 * (g % 2));
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            out.quants[half] =
                b.aligned(16 + 32 * (g / 4) + 16 * half + 4 * lane) >> (2 * (g % 4)) & 0x03030303U;
            out.scales[half] = h.d * byteOf(scales & 0x0F0F0F0FU, half);
            out.offsets[half] = -h.dmin * byteOf(scales >> 4U & 0x0F0F0F0FU, half);
        }
        return out;
    }
};

template <>
struct Packed<DType::Q3_K> : PackedTraits<true, true> {
    struct Header {
        std::uint32_t top; ///< two bits of each scale
        float d;
        __device__ __forceinline__ explicit Header(const PackedBytes &b)
            : top(b.word(104))
            , d(b.half(108))
        {
        }
    };
    static __device__ __forceinline__ PackedGroup group(const Header &h, const PackedBytes &b, int g,
                                                        int lane)
    {
        PackedGroup out{};
        const int word = g / 2; // of the scales: of 16 numbers a byte, six bits
        const std::uint32_t low = b.word(96 + word % 2 * 4) >> (word / 2 * 4) & 0x0F0F0F0FU;
        const std::uint32_t scales = (low | (h.top >> (2 * word) & 0x03030303U) << 4U) >> (16 * (g % 2));
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const std::uint32_t bits = b.word(32 + 32 * (g / 4) + 16 * half + 4 * lane) >> (2 * (g % 4));
            const std::uint32_t third = b.word(16 * half + 4 * lane) >> g;
            out.quants[half] = (bits & 0x03030303U) | (third & 0x01010101U) << 2U;
            out.scales[half] = h.d * (byteOf(scales, half) - 32);
            out.offsets[half] = -4 * out.scales[half];
        }
        return out;
    }
};

/// Scales and offsets of Q4_K and Q5_K: eight of each, six bits.
struct SixBitHeader {
    std::uint32_t scales[2];
    std::uint32_t offsets[2];
    float d;
    float dmin;
    __device__ __forceinline__ explicit SixBitHeader(const PackedBytes &b)
        : d(b.half(0))
        , dmin(b.half(2))
    {
        const std::uint32_t first = b.aligned(4);
        const std::uint32_t second = b.aligned(8);
        const std::uint32_t third = b.aligned(12);
        scales[0] = first & 0x3F3F3F3FU;
        offsets[0] = second & 0x3F3F3F3FU;
        scales[1] = (third & 0x0F0F0F0FU) | (first >> 2U & 0x30303030U);
        offsets[1] = (third >> 4U & 0x0F0F0F0FU) | (second >> 2U & 0x30303030U);
    }
    [[nodiscard]] __device__ __forceinline__ float scale(int g) const
    {
        return d * byteOf(g < 4 ? scales[0] : scales[1], g % 4);
    }
    [[nodiscard]] __device__ __forceinline__ float offset(int g) const
    {
        return -dmin * byteOf(g < 4 ? offsets[0] : offsets[1], g % 4);
    }
};

template <>
struct Packed<DType::Q4_K> : PackedTraits<false, true> {
    using Header = SixBitHeader;
    static __device__ __forceinline__ PackedGroup group(const Header &h, const PackedBytes &b, int g,
                                                        int lane)
    {
        const int at = 16 + 32 * (g / 2) + 4 * lane;
        const int shift = 4 * (g % 2);
        return {{b.aligned(at) >> shift & 0x0F0F0F0FU, b.aligned(at + 16) >> shift & 0x0F0F0F0FU},
                {h.scale(g)},
                {h.offset(g)}};
    }
};

template <>
struct Packed<DType::Q5_K> : PackedTraits<false, true> {
    using Header = SixBitHeader;
    static __device__ __forceinline__ PackedGroup group(const Header &h, const PackedBytes &b, int g,
                                                        int lane)
    {
        PackedGroup out{{}, {h.scale(g)}, {h.offset(g)}};
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const std::uint32_t low = b.aligned(48 + 32 * (g / 2) + 16 * half + 4 * lane) >> (4 * (g % 2));
            const std::uint32_t fifth = b.aligned(16 + 16 * half + 4 * lane) >> g;
            out.quants[half] = (low & 0x0F0F0F0FU) | (fifth & 0x01010101U) << 4U;
        }
        return out;
    }
};

template <>
struct Packed<DType::Q6_K> : PackedTraits<true, true> {
    struct Header {
        float d;
        __device__ __forceinline__ explicit Header(const PackedBytes &b)
            : d(b.half(208))
        {
        }
    };
    static __device__ __forceinline__ PackedGroup group(const Header &h, const PackedBytes &b, int g,
                                                        int lane)
    {
        PackedGroup out{};
        const std::uint32_t scales = b.word(192 + g / 2 * 4) >> (16 * (g % 2)); // of 16 numbers a byte
#pragma unroll
        for (int half = 0; half < 2; ++half) {
            const std::uint32_t low =
                b.word(64 * (g / 4) + 32 * (g % 2) + 16 * half + 4 * lane) >> (4 * (g / 2 % 2));
            const std::uint32_t high = b.word(128 + 32 * (g / 4) + 16 * half + 4 * lane) >> (2 * (g % 4));
            out.quants[half] = (low & 0x0F0F0F0FU) | (high & 0x03030303U) << 4U;
            out.scales[half] =
                h.d * static_cast<float>(static_cast<std::int8_t>(scales >> (8 * half) & 0xFFU));
            out.offsets[half] = -32 * out.scales[half];
        }
        return out;
    }
};

template <>
struct Packed<DType::IQ4_XS> : PackedTraits<false, false> {
    struct Header {
        std::uint32_t high; ///< two bits of each group's scale
        std::uint32_t low; ///< four bits of each
        float d;
        __device__ __forceinline__ explicit Header(const PackedBytes &b)
            : high(b.aligned(0) >> 16U)
            , low(b.aligned(4))
            , d(b.half(0))
        {
        }
    };
    static __device__ __forceinline__ PackedGroup group(const Header &h, const PackedBytes &b, int g,
                                                        int lane)
    {
        const std::uint32_t w = b.aligned(8 + 16 * g + 4 * lane);
        const std::uint32_t scale = (h.low >> (4 * g) & 15U) | (h.high >> (2 * g) & 3U) << 4U;
        return {{lookUpIq4(w & 0x0F0F0F0FU), lookUpIq4(w >> 4U & 0x0F0F0F0FU)},
                {h.d * static_cast<float>(static_cast<int>(scale) - 32)},
                {}};
    }
};

/// Calls work with the type as a template argument.
template <typename Work>
__device__ __forceinline__ void withPackedType(DType dtype, const Work &work)
{
    switch (dtype) {
    case DType::Q8_0:
        return work.template operator()<DType::Q8_0>();
    case DType::Q4_0:
        return work.template operator()<DType::Q4_0>();
    case DType::Q4_1:
        return work.template operator()<DType::Q4_1>();
    case DType::Q5_0:
        return work.template operator()<DType::Q5_0>();
    case DType::Q5_1:
        return work.template operator()<DType::Q5_1>();
    case DType::IQ4_NL:
        return work.template operator()<DType::IQ4_NL>();
    case DType::Q2_K:
        return work.template operator()<DType::Q2_K>();
    case DType::Q3_K:
        return work.template operator()<DType::Q3_K>();
    case DType::Q4_K:
        return work.template operator()<DType::Q4_K>();
    case DType::Q5_K:
        return work.template operator()<DType::Q5_K>();
    case DType::Q6_K:
        return work.template operator()<DType::Q6_K>();
    case DType::IQ4_XS:
        return work.template operator()<DType::IQ4_XS>();
    default:
        return;
    }
}

__device__ __forceinline__ int packedBytesOfChunk(DType dtype)
{
    int bytes = 0;
    withPackedType(dtype, [&]<DType type>() { bytes = packedChunkBytes<type>; });
    return bytes;
}

} // namespace bathyscope::kernels::cuda
