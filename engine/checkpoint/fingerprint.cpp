// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/fingerprint.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

/// FNV-1a (isthe.com/chongo/tech/comp/fnv), 64 bits.
void Fingerprint::add(const void *data, std::size_t size)
{
    const auto *bytes = static_cast<const unsigned char *>(data);
    for (std::size_t i = 0; i < size; ++i)
        m_state = (m_state ^ bytes[i]) * 0x100000001b3ULL;
}

void Fingerprint::add(std::string_view name, std::string_view type, const std::vector<std::int64_t> &shape,
                      std::span<const std::byte> bytes)
{
    constexpr std::size_t sample = 64; // bytes of each tensor: enough to tell fine-tunes apart
    add(name.data(), name.size());
    add(type.data(), type.size());
    add(shape.data(), shape.size() * sizeof(std::int64_t));
    const std::size_t middle = bytes.size() / 2;
    add(bytes.data(), std::min(sample, bytes.size()));
    add(bytes.data() + middle, std::min(sample, bytes.size() - middle));
}

std::string Fingerprint::text() const
{
    return fmt::format("{:016x}", m_state);
}

} // namespace bathyscope
