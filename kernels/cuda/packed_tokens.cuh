// SPDX-License-Identifier: GPL-3.0-or-later
//
// A few tokens' activations as products of small integers take them: each number as two digits of eight bits
// with a scale for every 32, which is about as exact as 15 bits.
#pragma once

#include "kernels/cuda/decode_tiles.cuh"
#include "kernels/cuda/packed_blocks.cuh"
#include "kernels/cuda/packed_params.h"

namespace bathyscope::kernels::cuda {

/// Activations in shared memory: digits [tokens][high, low][columns], then {scale, sum of the first 16
/// numbers, sum of the second 16} of every 32, then zeros for tokens that do not take part.
struct QuantisedTokens {
    static constexpr float unit = 128; ///< of the high digit
    static constexpr int zeroBytes = packedMaxChunk + packedMaxChunk / packedGroup * 16;

    std::uint8_t *digits;
    float4 *groups; ///< [tokens][columns / 32]
    std::uint8_t *zeros;
    int width; ///< columns
    int stride; ///< bytes of one digit of a token: eight columns of a product fall into different banks

    __device__ __forceinline__ QuantisedTokens(void *shared, int columns, int tokens)
        : digits(static_cast<std::uint8_t *>(shared))
        , width(columns)
        , stride((columns + 127) / 128 * 128 + 32)
    {
        groups = reinterpret_cast<float4 *>(digits + 2 * tokens * stride);
        zeros = reinterpret_cast<std::uint8_t *>(groups + tokens * (columns / packedGroup));
    }

    [[nodiscard]] __device__ __forceinline__ std::uint8_t *end() const { return zeros + zeroBytes; }
    [[nodiscard]] __device__ __forceinline__ int columns() const { return width; }
    [[nodiscard]] __device__ __forceinline__ const std::uint8_t *digitsOf(int token, int part) const
    {
        return digits + (2 * token + part) * stride;
    }
    [[nodiscard]] __device__ __forceinline__ const float4 *groupsOf(int token) const
    {
        return groups + token * (width / packedGroup);
    }

    /// Four neighbours of a token from `column`, a multiple of 4, on. Eight lanes that follow each other have
    /// 32 numbers, and call this together.
    __device__ __forceinline__ void store(int token, int column, const float4 &v) const
    {
        const std::uint32_t lanes = 0xFFU << (laneOf() & ~7);
        float largest = fmaxf(fmaxf(fabsf(v.x), fabsf(v.y)), fmaxf(fabsf(v.z), fabsf(v.w)));
#pragma unroll
        for (int distance = 1; distance < 8; distance *= 2)
            largest = fmaxf(largest, __shfl_xor_sync(lanes, largest, distance));
        const float scale = largest / (127 * unit);
        const float inverse = largest > 0 ? 127 * unit / largest : 0.0F;
        const float numbers[4] = {v.x, v.y, v.z, v.w};
        std::uint32_t high = 0;
        std::uint32_t low = 0;
        int sum = 0;
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const int number = __float2int_rn(numbers[i] * inverse);
            const int digit = (number + 64) >> 7;
            sum += number;
            high |= (static_cast<std::uint32_t>(digit) & 0xFFU) << (8 * i);
            low |= (static_cast<std::uint32_t>(number - digit * 128) & 0xFFU) << (8 * i);
        }
        sum += __shfl_xor_sync(lanes, sum, 1);
        sum += __shfl_xor_sync(lanes, sum, 2);
        // A lane of a product reads words i and i + 4 of 32 numbers at once.
        const int word = column % packedGroup / 4;
        std::uint8_t *to =
            digits + 2 * token * stride + column / packedGroup * packedGroup + (word % 4 * 2 + word / 4) * 4;
        *reinterpret_cast<std::uint32_t *>(to) = high;
        *reinterpret_cast<std::uint32_t *>(to + stride) = low;
        auto *group =
            reinterpret_cast<float *>(groups + token * (width / packedGroup) + column / packedGroup);
        if (word == 0)
            *reinterpret_cast<float2 *>(group) = {scale, scale * static_cast<float>(sum)};
        if (word == 4)
            group[2] = scale * static_cast<float>(sum);
    }

    __device__ __forceinline__ void clearZeros() const
    {
        for (int i = static_cast<int>(threadIdx.x); i < zeroBytes / 4; i += static_cast<int>(blockDim.x))
            reinterpret_cast<std::uint32_t *>(zeros)[i] = 0;
    }
};

/// Rows of floats, `stride` from token to token, into shared memory. Synchronise before use.
__device__ __forceinline__ void stageRows(const QuantisedTokens &to, const float *x, std::int64_t stride,
                                          int tokens)
{
    constexpr int ahead = 4; // loads of a thread
    const int step = 4 * static_cast<int>(blockDim.x);
#pragma unroll 1
    for (int t = 0; t < tokens; ++t)
#pragma unroll 1
        for (int begin = 4 * static_cast<int>(threadIdx.x); begin < to.columns(); begin += ahead * step) {
            float4 values[ahead];
#pragma unroll
            for (int i = 0; i < ahead; ++i)
                if (begin + i * step < to.columns())
                    values[i] = __ldcg(reinterpret_cast<const float4 *>(x + t * stride + begin + i * step));
#pragma unroll
            for (int i = 0; i < ahead; ++i)
                if (begin + i * step < to.columns())
                    to.store(t, begin + i * step, values[i]);
        }
}

/// Tokens that a kernel computes at the most: one, whose groups of 32 numbers have columns of their own;
/// four, whose two digits stand in neighbouring columns; or eight, whose digits take a product each.
template <int width>
constexpr bool isWide = width == 8;

/// What a lane multiplies a chunk with: its column of the products, and what its columns of sums are worth.
template <int width>
struct ChunkOperand {
    const std::uint8_t *high; ///< not wide: one digit of one token
    const std::uint8_t *low; ///< wide only
    const float4 *groups[isWide<width> ? 2 : 1];
};

/// The operand where a token's part of the activations begins at column columnOf(token), -1: it does not take
/// part.
template <int width, typename ColumnOf>
__device__ __forceinline__ ChunkOperand<width> operandOf(const QuantisedTokens &x, int tokens,
                                                         const ColumnOf &columnOf)
{
    const auto existing = [&](int token) { return token < tokens ? token : 0; };
    const auto digits = [&](int token, int part) {
        const int column = columnOf(token);
        return column < 0 ? x.zeros : x.digitsOf(token, part) + column;
    };
    const auto groups = [&](int token) {
        const int column = columnOf(token);
        return column < 0 ? reinterpret_cast<const float4 *>(x.zeros)
                          : x.groupsOf(token) + column / packedGroup;
    };
    ChunkOperand<width> operand{};
    const int lane = laneOf() % 4 * 8;
    if constexpr (isWide<width>) {
        operand.high = digits(existing(laneOf() / 4), 0) + lane;
        operand.low = digits(existing(laneOf() / 4), 1) + lane;
        operand.groups[0] = groups(existing(laneOf() % 4 * 2));
        operand.groups[1] = groups(existing(laneOf() % 4 * 2 + 1));
    } else if constexpr (width == 1) {
        operand.high = digits(0, laneOf() / 4 % 2) + laneOf() / 8 * packedGroup + lane;
        operand.groups[0] = groups(0) + laneOf() % 4;
    } else {
        operand.high = digits(existing(laneOf() / 8), laneOf() / 4 % 2) + lane;
        operand.groups[0] = groups(existing(laneOf() % 4));
    }
    return operand;
}

} // namespace bathyscope::kernels::cuda
