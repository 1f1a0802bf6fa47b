// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/models/model_config.h"

#include <vector>

namespace bathyscope {

/// Angles of rotary position embedding, with YaRN's or Llama 3.1's scaling where the model asks for it.
class RopeTable {
public:
    /// `dimensions`: rotated values of a head (qk_rope_head_dim), even.
    RopeTable(const RopeConfig &config, std::int32_t dimensions);

    [[nodiscard]] std::int32_t dimensions() const
    {
        return 2 * static_cast<std::int32_t>(m_inverseFrequencies.size());
    }

    /// Writes the cosines and sines [dimensions / 2] of one position, times YaRN's attention factor.
    void angles(std::int64_t position, float *cosines, float *sines) const;

    [[nodiscard]] const std::vector<float> &inverseFrequencies() const { return m_inverseFrequencies; }

private:
    std::vector<float> m_inverseFrequencies;
    float m_factor = 1.0F;
};

} // namespace bathyscope
