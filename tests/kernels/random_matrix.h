// SPDX-License-Identifier: GPL-3.0-or-later
//
// Random stored matrices of every type, beside the values they stand for.
#pragma once

#include "kernels/matrix.h"

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace bathyscope::kernels {

inline std::vector<float> randomFloats(std::mt19937 &random, std::size_t count)
{
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float &value : values)
        value = normal(random);
    return values;
}

/// The value of an e4m3 byte, from the format's definition (OCP FP8, table 1).
inline double e4m3Value(std::uint8_t bits)
{
    const int exponent = bits >> 3U & 15U;
    const int mantissa = bits & 7U;
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -9) : std::ldexp(8 + mantissa, exponent - 10);
    return bits & 0x80U ? -magnitude : magnitude;
}

/// The value of a half-precision number, from the format's definition (IEEE 754).
inline double halfValue(std::uint16_t bits)
{
    const int exponent = bits >> 10U & 31U;
    const int mantissa = bits & 1023U;
    const double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    return bits & 0x8000U ? -magnitude : magnitude;
}

/// A matrix as stored and its values in double precision.
struct RandomMatrix {
    std::vector<std::uint8_t> bytes;
    std::vector<float> scales;
    std::vector<double> values; ///< [rows, columns]
    MatrixView view;

    RandomMatrix(std::mt19937 &random, DType dtype, std::int64_t rows, std::int64_t columns)
        : bytes(rowBytes(dtype, rows * columns))
        , values(static_cast<std::size_t>(rows * columns))
    {
        view = {.data = bytes.data(), .dtype = dtype, .rows = rows, .columns = columns};
        if (dtype == DType::F8E4M3) {
            view.scaleColumns = (columns + scaleBlock - 1) / scaleBlock;
            scales.resize(static_cast<std::size_t>((rows + scaleBlock - 1) / scaleBlock * view.scaleColumns));
            for (float &scale : scales)
                scale = std::exp(std::normal_distribution<float>()(random)) * 0.01F;
            view.scales = scales.data();
        }
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = fill(random, i);
    }

private:
    double fill(std::mt19937 &random, std::size_t i)
    {
        if (view.dtype == DType::F8E4M3) {
            do
                bytes[i] = static_cast<std::uint8_t>(random());
            while ((bytes[i] & 0x7FU) == 0x7FU); // not a number
            const auto columns = static_cast<std::size_t>(view.columns);
            const std::size_t block =
                i / columns / 128 * static_cast<std::size_t>(view.scaleColumns) + i % columns / 128;
            return e4m3Value(bytes[i]) * double(scales[block]);
        }
        const float value = std::normal_distribution<float>()(random);
        if (view.dtype == DType::F32) {
            std::memcpy(&bytes[4 * i], &value, 4);
            return double(value);
        }
        std::uint32_t word = 0;
        std::memcpy(&word, &value, 4);
        // Any half with an exponent like this one is a fair sample; subnormals come from the low bits alone.
        const auto half = view.dtype == DType::BF16
            ? static_cast<std::uint16_t>(word >> 16U)
            : static_cast<std::uint16_t>((random() & 0x83FFU) | (random() % 16 << 10U));
        std::memcpy(&bytes[2 * i], &half, 2);
        if (view.dtype == DType::F16)
            return halfValue(half);
        word &= 0xFFFF0000U;
        float rounded = 0;
        std::memcpy(&rounded, &word, 4);
        return double(rounded);
    }
};

} // namespace bathyscope::kernels
