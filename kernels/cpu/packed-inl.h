// SPDX-License-Identifier: GPL-3.0-or-later
//
// GGUF's packed types (ggml-common.h and the reference dequantisation in ggml-quants.c), for each Highway
// target. All of them are groups of 16 or 32 small integers with a scale and perhaps an offset: unpacking
// gives exactly that, and the arithmetic is the same for all.
#if defined(BATHYSCOPE_PACKED_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BATHYSCOPE_PACKED_INL_H_
#undef BATHYSCOPE_PACKED_INL_H_
#else
#define BATHYSCOPE_PACKED_INL_H_
#endif

#include "kernels/cpu/bytes-inl.h"
#include "kernels/matrix.h"

#include <cstring>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

/// A unit of numbers as integers: value i is scales[i / group] * quants[i] + offsets[i / group].
template <class Block>
struct Unpacked {
    const std::int8_t *quants; ///< [unit], in `buffer` or in the block itself
    float scales[Block::unit / Block::group];
    float offsets[Block::hasOffsets ? Block::unit / Block::group : 1];
    HWY_ALIGN std::int8_t buffer[Block::unit];
};

HWY_INLINE float fromHalf(const std::uint8_t *bytes)
{
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes, sizeof(bits));
    const hn::CappedTag<float, 4> d;
    const hn::Rebind<hwy::float16_t, decltype(d)> dHalf;
    const hn::Rebind<std::uint16_t, decltype(d)> d16;
    return hn::GetLane(hn::PromoteTo(d, hn::BitCast(dHalf, hn::Set(d16, bits))));
}

/// 16 for every set bit among the 16 bits at `bits`.
HWY_INLINE Bytes fifthBits(const std::uint8_t *bits)
{
    static constexpr std::uint8_t byteOf[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1};
    static constexpr std::uint8_t bitOf[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    return whereSet(lookedUp(repeatedPair(bits), loadBytes(byteOf)), loadBytes(bitOf), 16);
}

/// The numbers that IQ4's four bits stand for.
HWY_INLINE Bytes lookUpIq4(Bytes indices)
{
    static constexpr std::int8_t values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                               1,    13,   25,  38,  53,  69,  89,  113};
    return lookedUp(loadBytes(values), indices);
}

/// 32 numbers with one scale.
struct SmallBlock {
    static constexpr int elements = 32;
    static constexpr int unit = 32; ///< numbers that are unpacked at once
    static constexpr int group = 32; ///< numbers that share a scale
    static constexpr bool hasOffsets = false;
};

struct BlockQ8_0 : SmallBlock {
    std::uint8_t d[2];
    std::int8_t quants[32];

    HWY_INLINE void unpack(int, Unpacked<BlockQ8_0> &out) const
    {
        out.scales[0] = fromHalf(d);
        out.quants = quants;
    }
};

/// Sixteen bytes of nibbles: the low ones are the first half of the numbers.
template <class Convert>
HWY_INLINE void splitNibbles(const std::uint8_t *nibbles, std::int8_t *out, const Convert &convert)
{
    const auto bytes = loadBytes(nibbles);
    storeBytes(convert(bitsOf<0>(bytes, 15), 0), out);
    storeBytes(convert(bitsOf<4>(bytes, 15), 1), out + 16);
}

struct BlockQ4_0 : SmallBlock {
    std::uint8_t d[2];
    std::uint8_t nibbles[16];

    HWY_INLINE void unpack(int, Unpacked<BlockQ4_0> &out) const
    {
        out.scales[0] = fromHalf(d);
        splitNibbles(nibbles, out.buffer, [](Bytes q, int) HWY_ATTR { return q - repeated(8); });
        out.quants = out.buffer;
    }
};

struct BlockQ4_1 : SmallBlock {
    static constexpr bool hasOffsets = true;
    std::uint8_t d[2];
    std::uint8_t m[2];
    std::uint8_t nibbles[16];

    HWY_INLINE void unpack(int, Unpacked<BlockQ4_1> &out) const
    {
        out.scales[0] = fromHalf(d);
        out.offsets[0] = fromHalf(m);
        splitNibbles(nibbles, out.buffer, [](Bytes q, int) HWY_ATTR { return q; });
        out.quants = out.buffer;
    }
};

struct BlockQ5_0 : SmallBlock {
    std::uint8_t d[2];
    std::uint8_t high[4];
    std::uint8_t nibbles[16];

    HWY_INLINE void unpack(int, Unpacked<BlockQ5_0> &out) const
    {
        out.scales[0] = fromHalf(d);
        splitNibbles(nibbles, out.buffer, [&](Bytes q, int half) HWY_ATTR {
            return (q | fifthBits(high + 2 * half)) - repeated(16);
        });
        out.quants = out.buffer;
    }
};

struct BlockQ5_1 : SmallBlock {
    static constexpr bool hasOffsets = true;
    std::uint8_t d[2];
    std::uint8_t m[2];
    std::uint8_t high[4];
    std::uint8_t nibbles[16];

    HWY_INLINE void unpack(int, Unpacked<BlockQ5_1> &out) const
    {
        out.scales[0] = fromHalf(d);
        out.offsets[0] = fromHalf(m);
        splitNibbles(nibbles, out.buffer,
                     [&](Bytes q, int half) HWY_ATTR { return q | fifthBits(high + 2 * half); });
        out.quants = out.buffer;
    }
};

struct BlockIQ4_NL : SmallBlock {
    std::uint8_t d[2];
    std::uint8_t nibbles[16];

    HWY_INLINE void unpack(int, Unpacked<BlockIQ4_NL> &out) const
    {
        out.scales[0] = fromHalf(d);
        splitNibbles(nibbles, out.buffer, [](Bytes q, int) HWY_ATTR { return lookUpIq4(q); });
        out.quants = out.buffer;
    }
};

/// 256 numbers with scales of their own for groups; unpacked half by half.
struct SuperBlock {
    static constexpr int elements = 256;
    static constexpr int unit = 128;
    static constexpr bool hasOffsets = false;
};

struct BlockQ2_K : SuperBlock {
    static constexpr int group = 16;
    static constexpr bool hasOffsets = true;
    std::uint8_t scales[16]; ///< low nibble: scale, high nibble: offset
    std::uint8_t crumbs[64]; ///< two bits each
    std::uint8_t d[2];
    std::uint8_t dmin[2];

    HWY_INLINE void unpack(int half, Unpacked<BlockQ2_K> &out) const
    {
        const float scale = fromHalf(d);
        const float offset = -fromHalf(dmin);
        for (int g = 0; g < 8; ++g) {
            out.scales[g] = scale * static_cast<float>(scales[8 * half + g] & 15);
            out.offsets[g] = offset * static_cast<float>(scales[8 * half + g] >> 4);
        }
        for (int i = 0; i < 32; i += 16) {
            const auto bytes = loadBytes(crumbs + 32 * half + i);
            storeBytes(bitsOf<0>(bytes, 3), out.buffer + i);
            storeBytes(bitsOf<2>(bytes, 3), out.buffer + 32 + i);
            storeBytes(bitsOf<4>(bytes, 3), out.buffer + 64 + i);
            storeBytes(bitsOf<6>(bytes, 3), out.buffer + 96 + i);
        }
        out.quants = out.buffer;
    }
};

struct BlockQ3_K : SuperBlock {
    static constexpr int group = 16;
    std::uint8_t high[32]; ///< third bits, one of all groups in each byte
    std::uint8_t crumbs[64]; ///< two bits each
    std::uint8_t scales[12]; ///< sixteen of six bits
    std::uint8_t d[2];

    HWY_INLINE void unpack(int half, Unpacked<BlockQ3_K> &out) const
    {
        const float scale = fromHalf(d);
        for (int g = 0; g < 8; ++g) {
            const int index = 8 * half + g;
            const int low = half == 0 ? scales[g] & 15 : scales[g] >> 4;
            const int top = scales[8 + index % 4] >> (2 * (index / 4)) & 3;
            out.scales[g] = scale * static_cast<float>((low | top << 4) - 32);
        }
        for (int i = 0; i < 32; i += 16) {
            const auto bytes = loadBytes(crumbs + 32 * half + i);
            const auto thirds = loadBytes(high + i);
            // A third bit that is not set means 4 less.
            const auto whole = [&](Bytes low, int j) HWY_ATTR {
                const auto bit = repeated(static_cast<std::uint8_t>(1U << (4 * half + j)));
                return (low | whereSet(thirds, bit, 4)) - repeated(4);
            };
            storeBytes(whole(bitsOf<0>(bytes, 3), 0), out.buffer + i);
            storeBytes(whole(bitsOf<2>(bytes, 3), 1), out.buffer + 32 + i);
            storeBytes(whole(bitsOf<4>(bytes, 3), 2), out.buffer + 64 + i);
            storeBytes(whole(bitsOf<6>(bytes, 3), 3), out.buffer + 96 + i);
        }
        out.quants = out.buffer;
    }
};

/// Scales and offsets of Q4_K and Q5_K: eight of each, six bits.
template <class Block>
HWY_INLINE void unpackSixBitScales(const Block &block, int half, Unpacked<Block> &out)
{
    const float scale = fromHalf(block.d);
    const float offset = -fromHalf(block.dmin);
    const std::uint8_t *s = block.scales;
    for (int j = 0; j < 4; ++j) {
        const int low = half == 0 ? s[j] & 63 : (s[j + 8] & 15) | (s[j] >> 6) << 4;
        const int minimum = half == 0 ? s[j + 4] & 63 : s[j + 8] >> 4 | (s[j + 4] >> 6) << 4;
        out.scales[j] = scale * static_cast<float>(low);
        out.offsets[j] = offset * static_cast<float>(minimum);
    }
}

struct BlockQ4_K : SuperBlock {
    static constexpr int group = 32;
    static constexpr bool hasOffsets = true;
    std::uint8_t d[2];
    std::uint8_t dmin[2];
    std::uint8_t scales[12];
    std::uint8_t nibbles[128];

    HWY_INLINE void unpack(int half, Unpacked<BlockQ4_K> &out) const
    {
        unpackSixBitScales(*this, half, out);
        for (int i = 0; i < 64; i += 16) {
            const auto bytes = loadBytes(nibbles + 64 * half + i);
            std::int8_t *to = out.buffer + i / 32 * 64 + i % 32;
            storeBytes(bitsOf<0>(bytes, 15), to);
            storeBytes(bitsOf<4>(bytes, 15), to + 32);
        }
        out.quants = out.buffer;
    }
};

struct BlockQ5_K : SuperBlock {
    static constexpr int group = 32;
    static constexpr bool hasOffsets = true;
    std::uint8_t d[2];
    std::uint8_t dmin[2];
    std::uint8_t scales[12];
    std::uint8_t high[32]; ///< fifth bits, one of all groups in each byte
    std::uint8_t nibbles[128];

    HWY_INLINE void unpack(int half, Unpacked<BlockQ5_K> &out) const
    {
        unpackSixBitScales(*this, half, out);
        for (int i = 0; i < 64; i += 16) {
            const auto bytes = loadBytes(nibbles + 64 * half + i);
            const auto fifths = loadBytes(high + i % 32);
            const auto bit = [&](int index) HWY_ATTR {
                return whereSet(fifths, repeated(static_cast<std::uint8_t>(1U << index)), 16);
            };
            const int first = 4 * half + i / 32 * 2;
            std::int8_t *to = out.buffer + i / 32 * 64 + i % 32;
            storeBytes(bitsOf<0>(bytes, 15) | bit(first), to);
            storeBytes(bitsOf<4>(bytes, 15) | bit(first + 1), to + 32);
        }
        out.quants = out.buffer;
    }
};

struct BlockQ6_K : SuperBlock {
    static constexpr int group = 16;
    std::uint8_t nibbles[128];
    std::uint8_t crumbs[64]; ///< two high bits each
    std::int8_t scales[16];
    std::uint8_t d[2];

    HWY_INLINE void unpack(int half, Unpacked<BlockQ6_K> &out) const
    {
        const float scale = fromHalf(d);
        for (int g = 0; g < 8; ++g)
            out.scales[g] = scale * static_cast<float>(scales[8 * half + g]);
        const auto whole = [](Bytes low, Bytes high)
                               HWY_ATTR { return (low | shiftedLeft<4>(high)) - repeated(32); };
        for (int i = 0; i < 32; i += 16) {
            const auto first = loadBytes(nibbles + 64 * half + i);
            const auto second = loadBytes(nibbles + 64 * half + 32 + i);
            const auto high = loadBytes(crumbs + 32 * half + i);
            storeBytes(whole(bitsOf<0>(first, 15), bitsOf<0>(high, 3)), out.buffer + i);
            storeBytes(whole(bitsOf<0>(second, 15), bitsOf<2>(high, 3)), out.buffer + 32 + i);
            storeBytes(whole(bitsOf<4>(first, 15), bitsOf<4>(high, 3)), out.buffer + 64 + i);
            storeBytes(whole(bitsOf<4>(second, 15), bitsOf<6>(high, 3)), out.buffer + 96 + i);
        }
        out.quants = out.buffer;
    }
};

struct BlockIQ4_XS : SuperBlock {
    static constexpr int group = 32;
    std::uint8_t d[2];
    std::uint8_t highScales[2]; ///< two bits each
    std::uint8_t lowScales[4]; ///< four bits each
    std::uint8_t nibbles[128];

    HWY_INLINE void unpack(int half, Unpacked<BlockIQ4_XS> &out) const
    {
        const float scale = fromHalf(d);
        for (int j = 0; j < 4; ++j) {
            const int low = lowScales[2 * half + j / 2] >> (4 * (j % 2)) & 15;
            const int high = highScales[half] >> (2 * j) & 3;
            out.scales[j] = scale * static_cast<float>((low | high << 4) - 32);
            splitNibbles(nibbles + 64 * half + 16 * j, out.buffer + 32 * j,
                         [](Bytes q, int) HWY_ATTR { return lookUpIq4(q); });
        }
        out.quants = out.buffer;
    }
};

template <typename T>
constexpr bool isPackedBlock = std::is_base_of_v<SmallBlock, T> || std::is_base_of_v<SuperBlock, T>;

static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockQ4_0) == 18 && sizeof(BlockQ4_1) == 20);
static_assert(sizeof(BlockQ5_0) == 22 && sizeof(BlockQ5_1) == 24 && sizeof(BlockIQ4_NL) == 18);
static_assert(sizeof(BlockQ2_K) == 84 && sizeof(BlockQ3_K) == 110 && sizeof(BlockQ4_K) == 144);
static_assert(sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210 && sizeof(BlockIQ4_XS) == 136);

/// The unit that begins at column c of row r.
template <class Block>
HWY_INLINE void unpackUnit(const MatrixView &w, std::int64_t r, std::int64_t c, Unpacked<Block> &out)
{
    const auto *row = static_cast<const Block *>(w.row(r));
    row[c / Block::elements].unpack(static_cast<int>(c % Block::elements / Block::unit), out);
}

/// Small integers as float32.
template <class D>
HWY_INLINE hn::Vec<D> loadQuants(D d, const std::int8_t *p)
{
    const hn::Rebind<std::int8_t, D> d8;
    const hn::Rebind<std::int32_t, D> d32;
    return hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, p)));
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // per-target include guard
