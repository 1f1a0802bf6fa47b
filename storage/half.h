// SPDX-License-Identifier: GPL-3.0-or-later
//
// IEEE 754 binary16: 1 sign bit, 5 bits of exponent, 10 of mantissa.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace bathyscope::storage {

/// What a number between 2^-14 and 65504 loses at the most, relative to itself.
inline constexpr float kHalfRelativeError = 1.0F / 2048.0F;

/// To the nearest, ties to even; beyond 65504 infinity; NaN stays NaN.
inline std::uint16_t toHalf(float value)
{
    const auto sign = static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(value) >> 16U) & 0x8000U);
    const float magnitude = std::fabs(value);
    if (std::isnan(value))
        return static_cast<std::uint16_t>(sign | 0x7E00U);
    if (magnitude >= 65520.0F)
        return static_cast<std::uint16_t>(sign | 0x7C00U);
    if (magnitude < 0x1p-14F) // subnormal: a multiple of 2^-24
        return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(std::lrint(magnitude * 0x1p24F)));
    std::uint32_t bits = std::bit_cast<std::uint32_t>(magnitude) - (112U << 23U);
    bits += 0xFFFU + ((bits >> 13U) & 1U);
    return static_cast<std::uint16_t>(sign | (bits >> 13U));
}

inline float fromHalf(std::uint16_t half)
{
    const std::uint32_t sign = (half & 0x8000U) << 16U;
    const std::uint32_t rest = half & 0x7FFFU;
    if (rest < 0x400U)
        return std::copysign(static_cast<float>(rest) * 0x1p-24F, std::bit_cast<float>(sign | 0x3F800000U));
    const std::uint32_t exponent = rest >= 0x7C00U ? 224U : 112U;
    return std::bit_cast<float>(sign | ((rest << 13U) + (exponent << 23U)));
}

} // namespace bathyscope::storage
