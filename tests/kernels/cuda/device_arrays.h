// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tests of device code share: vectors to the card and back, bf16, and how far two results are apart.
#pragma once

#include "kernels/cuda/runtime.h"

#include <cmath>
#include <cstring>
#include <vector>

namespace bathyscope::kernels::cuda {

template <typename T>
DeviceBuffer onCard(const std::vector<T> &values)
{
    DeviceBuffer buffer(std::max<std::size_t>(values.size(), 1) * sizeof(T));
    buffer.upload(values.data(), values.size() * sizeof(T));
    return buffer;
}

/// Memory whose every float, bf16 and e4m3 is not a number: what is not written shows.
inline DeviceBuffer poisoned(std::size_t bytes)
{
    DeviceBuffer buffer(bytes);
    buffer.fill(0xFF);
    return buffer;
}

template <typename T>
std::vector<T> fromCard(const DeviceBuffer &buffer, std::size_t count)
{
    std::vector<T> values(count);
    buffer.download(values.data(), count * sizeof(T));
    return values;
}

inline std::uint16_t toBf16(float value)
{
    std::uint32_t bits = 0;
    std::memcpy(&bits, &value, 4);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16U & 1U)) >> 16U);
}

inline float fromBf16(std::uint16_t bits)
{
    const std::uint32_t word = std::uint32_t(bits) << 16U;
    float value = 0;
    std::memcpy(&value, &word, 4);
    return value;
}

inline std::vector<std::uint16_t> toBf16(const std::vector<float> &values)
{
    std::vector<std::uint16_t> result;
    for (const float value : values)
        result.push_back(toBf16(value));
    return result;
}

inline std::vector<float> fromBf16(const std::vector<std::uint16_t> &values)
{
    std::vector<float> result;
    for (const std::uint16_t value : values)
        result.push_back(fromBf16(value));
    return result;
}

/// ‖found − expected‖ / ‖expected‖; not a number where anything is none.
template <typename T>
double relativeError(const std::vector<T> &found, const std::vector<double> &expected)
{
    double difference = 0;
    double size = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        difference += (double(found[i]) - expected[i]) * (double(found[i]) - expected[i]);
        size += expected[i] * expected[i];
    }
    return std::sqrt(difference / size);
}

} // namespace bathyscope::kernels::cuda
