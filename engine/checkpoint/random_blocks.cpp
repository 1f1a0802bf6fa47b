// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/random_blocks.h"

#include "engine/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace bathyscope {

namespace {

/// Where a block keeps its half-precision scale and offset, and what its integers come to.
struct BlockScales {
    kernels::DType dtype;
    std::size_t scale; ///< byte
    std::size_t offset; ///< byte; 0: there is none
    float offsetFactor; ///< of the scale: brings the mean to 0
    float deviation; ///< of the numbers where the scale is 1
};

constexpr BlockScales blockScales[] = {
    {kernels::DType::Q8_0, 0, 0, 0, 74},        {kernels::DType::Q4_0, 0, 0, 0, 4.6F},
    {kernels::DType::Q4_1, 0, 2, -7.5F, 4.6F},  {kernels::DType::Q5_0, 0, 0, 0, 9.2F},
    {kernels::DType::Q5_1, 0, 2, -15.5F, 9.2F}, {kernels::DType::IQ4_NL, 0, 0, 0, 68},
    {kernels::DType::Q2_K, 80, 82, 1.5F, 14},   {kernels::DType::Q3_K, 108, 0, 0, 43},
    {kernels::DType::Q4_K, 0, 2, 7.5F, 270},    {kernels::DType::Q5_K, 0, 2, 15.5F, 540},
    {kernels::DType::Q6_K, 208, 0, 0, 1370},    {kernels::DType::IQ4_XS, 0, 0, 0, 1260},
};

const BlockScales &scalesOf(kernels::DType dtype)
{
    for (const BlockScales &scales : blockScales)
        if (scales.dtype == dtype)
            return scales;
    throw Error(fmt::format("expected a packed type, found {}", kernels::blockOf(dtype).name));
}

/// A half-precision number below 65504, cut.
std::uint16_t toHalf(float value)
{
    const float size = std::fabs(value);
    int exponent = 0;
    const float fraction = std::frexp(size, &exponent); // 0.5 … 1
    const auto bits = exponent < -13
        ? static_cast<std::uint16_t>(std::ldexp(size, 24))
        : static_cast<std::uint16_t>((exponent + 14) * 1024 + static_cast<int>(std::ldexp(fraction, 11))
                                     - 1024);
    return value < 0 ? static_cast<std::uint16_t>(bits | 0x8000U) : bits;
}

} // namespace

void fillPackedBlocks(FastRandom &random, kernels::DType dtype, std::byte *out, std::size_t blocks,
                      float deviation)
{
    const BlockScales &where = scalesOf(dtype);
    const auto size = static_cast<std::size_t>(kernels::blockOf(dtype).bytes);
    const std::uint16_t scale = toHalf(deviation / where.deviation);
    const std::uint16_t offset = toHalf(deviation / where.deviation * where.offsetFactor);
    for (std::size_t at = 0; at < blocks * size; at += 8) {
        const std::uint64_t bits = random.next();
        std::memcpy(out + at, &bits, std::min<std::size_t>(8, blocks * size - at));
    }
    for (std::size_t block = 0; block < blocks; ++block) {
        std::memcpy(out + block * size + where.scale, &scale, sizeof(scale));
        if (where.offset > 0)
            std::memcpy(out + block * size + where.offset, &offset, sizeof(offset));
    }
}

} // namespace bathyscope
