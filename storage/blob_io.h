// SPDX-License-Identifier: GPL-3.0-or-later
//
// What all blobs share: a checksum, a version, a count, and how numbers are written.
//
//     blob     = checksum version count item*
//     checksum : u32, CRC-32 (IEEE 802.3) of all that follows
//     version  : u8
//     count    : varint, number of items
//     bytes    = size:varint u8*
//
// Integers are little-endian; a varint holds 7 bits a byte, lowest first (LEB128); ids are varints of their
// 32-bit pattern; f32 and f16 are bit patterns of IEEE 754.
#pragma once

#include "engine/error.h"
#include "engine/records.h"
#include "storage/crc32.h"
#include "storage/half.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace bathyscope::storage {

class BlobWriter {
public:
    BlobWriter(std::uint8_t version, std::size_t count)
    {
        m_bytes.resize(sizeof(std::uint32_t)); // the checksum, see finish()
        byte(version);
        varint(count);
    }

    void byte(std::uint8_t value) { m_bytes.push_back(static_cast<char>(value)); }
    void varint(std::uint64_t value)
    {
        for (; value >= 0x80U; value >>= 7U)
            byte(static_cast<std::uint8_t>(value | 0x80U));
        byte(static_cast<std::uint8_t>(value));
    }
    void id(TokenId value) { varint(static_cast<std::uint32_t>(value)); }
    void real(float value)
    {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        for (unsigned shift = 0; shift < 32; shift += 8)
            byte(static_cast<std::uint8_t>(bits >> shift));
    }
    void half(float value)
    {
        const std::uint16_t bits = toHalf(value);
        byte(static_cast<std::uint8_t>(bits));
        byte(static_cast<std::uint8_t>(bits >> 8U));
    }
    void bytes(std::string_view value)
    {
        varint(value.size());
        m_bytes += value;
    }

    std::string finish()
    {
        const std::uint32_t checksum = crc32(std::string_view(m_bytes).substr(sizeof(std::uint32_t)));
        for (unsigned i = 0; i < sizeof checksum; ++i)
            m_bytes[i] = static_cast<char>(static_cast<std::uint8_t>(checksum >> (8 * i)));
        return std::move(m_bytes);
    }

private:
    std::string m_bytes;
};

class BlobReader {
public:
    /// Checks the blob's head; then count() items follow.
    BlobReader(std::string_view blob, std::uint8_t newestVersion, std::size_t maxCount)
        : m_rest(blob)
    {
        const std::uint32_t expected = word();
        const std::uint32_t found = crc32(m_rest);
        if (found != expected)
            throw Error(fmt::format("checksum: expected {:08x}, found {:08x}", expected, found));
        m_version = byte();
        if (m_version == 0 || m_version > newestVersion)
            throw Error(fmt::format("version: expected 1 to {}, found {}", newestVersion, m_version));
        m_count = varint();
        if (m_count > maxCount)
            throw Error(fmt::format("count: expected at most {}, found {}", maxCount, m_count));
    }

    [[nodiscard]] std::uint8_t version() const { return m_version; }
    [[nodiscard]] std::size_t count() const { return m_count; }

    std::uint8_t byte() { return static_cast<std::uint8_t>(take(1).front()); }
    std::size_t varint(std::size_t max = std::numeric_limits<std::size_t>::max())
    {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 63; shift += 7) {
            const std::uint8_t next = byte();
            value |= std::uint64_t{next & 0x7FU} << shift;
            if ((next & 0x80U) == 0) {
                if (value > max)
                    throw Error(fmt::format("number: expected at most {}, found {}", max, value));
                return value;
            }
        }
        throw Error("number: expected at most 9 bytes, found more");
    }
    TokenId id()
    {
        return static_cast<TokenId>(
            static_cast<std::uint32_t>(varint(std::numeric_limits<std::uint32_t>::max())));
    }
    float real() { return std::bit_cast<float>(word()); }
    float half()
    {
        const unsigned low = byte();
        return fromHalf(static_cast<std::uint16_t>(low | static_cast<unsigned>(byte()) << 8U));
    }
    std::string bytes() { return std::string(take(varint())); }
    /// A number of entries that the rest can hold, so that a forged one cannot ask for all memory.
    std::size_t entries(std::size_t smallestEntry) { return varint(m_rest.size() / smallestEntry); }

    void expectEnd() const
    {
        if (!m_rest.empty())
            throw Error(fmt::format("end: expected after the last item, found {} bytes more", m_rest.size()));
    }

private:
    std::string_view take(std::size_t size)
    {
        if (size > m_rest.size())
            throw Error(fmt::format("length: expected {} bytes more, found {}", size, m_rest.size()));
        const std::string_view taken = m_rest.substr(0, size);
        m_rest.remove_prefix(size);
        return taken;
    }
    std::uint32_t word()
    {
        std::uint32_t value = 0;
        const std::string_view raw = take(sizeof value);
        for (unsigned i = 0; i < sizeof value; ++i)
            value |= std::uint32_t{static_cast<std::uint8_t>(raw[i])} << (8 * i);
        return value;
    }

    std::string_view m_rest;
    std::uint8_t m_version = 0;
    std::size_t m_count = 0;
};

} // namespace bathyscope::storage
