// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/crc32.h"

#include <array>
#include <cstddef>

namespace bathyscope::storage {

namespace {

constexpr std::size_t kSlices = 8; ///< bytes handled at once ("slicing by 8", Kounavis and Berry 2005)
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

constexpr Tables makeTables()
{
    constexpr std::uint32_t kPolynomial = 0xEDB88320U;
    Tables tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = (value >> 1) ^ ((value & 1U) != 0 ? kPolynomial : 0U);
        tables[0][byte] = value;
    }
    for (std::size_t slice = 1; slice < kSlices; ++slice)
        for (std::size_t byte = 0; byte < 256; ++byte)
            tables[slice][byte] = (tables[slice - 1][byte] >> 8) ^ tables[0][tables[slice - 1][byte] & 0xFFU];
    return tables;
}

constexpr Tables kTables = makeTables();

} // namespace

std::uint32_t crc32(std::string_view bytes)
{
    const auto at = [&](std::size_t index) { return static_cast<std::uint8_t>(bytes[index]); };
    std::uint32_t crc = 0xFFFFFFFFU;
    std::size_t i = 0;
    for (; i + kSlices <= bytes.size(); i += kSlices) {
        std::uint32_t next = 0;
        for (std::size_t k = 0; k < kSlices; ++k) {
            const std::uint32_t mixed = k < 4 ? (crc >> (8 * k)) & 0xFFU : 0U;
            next ^= kTables[kSlices - 1 - k][mixed ^ at(i + k)];
        }
        crc = next;
    }
    for (; i < bytes.size(); ++i)
        crc = (crc >> 8) ^ kTables[0][(crc ^ at(i)) & 0xFFU];
    return ~crc;
}

} // namespace bathyscope::storage
