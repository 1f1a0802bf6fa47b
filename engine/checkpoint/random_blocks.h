// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/matrix.h"

#include <cstddef>
#include <cstdint>

namespace bathyscope {

/// xorshift64* (Vigna, arXiv 1402.6246): gigabytes a second, and no structure that a kernel could feel.
class FastRandom {
public:
    explicit FastRandom(std::uint64_t seed)
        : m_state(seed * 0x9E3779B97F4A7C15ULL | 1U)
    {
    }
    std::uint64_t next()
    {
        m_state ^= m_state >> 12U;
        m_state ^= m_state << 25U;
        m_state ^= m_state >> 27U;
        return m_state * 0x2545F4914F6CDD1DULL;
    }

private:
    std::uint64_t m_state;
};

/// Fills blocks of a packed type with random numbers around 0, of about the given standard deviation.
void fillPackedBlocks(FastRandom &random, kernels::DType dtype, std::byte *out, std::size_t blocks,
                      float deviation);

} // namespace bathyscope
