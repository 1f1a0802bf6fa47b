// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/executor/thread_team.h"
#include "engine/models/model_weights.h"

#include <cstdint>
#include <deque>
#include <vector>

namespace bathyscope {

/// Blocks that a side of so many values is split into.
std::int64_t scaleBlocksOf(std::int64_t n);

/// One thread's part in making FP8 blocks of a matrix in a wider type; all members call it alike. `values`:
/// e4m3 [rows, columns], `scales`: [ceil(rows/128), ceil(columns/128)].
void quantiseMatrix(ThreadTeam::Member &member, const kernels::MatrixView &weights, std::uint8_t *values,
                    float *scales);

/// A layer whose projections are FP8 blocks, made of F32, F16 and BF16 while it is loaded, and as stored
/// where they are narrow already. The router keeps its type (ModelMemory::Weights::quantised counts alike).
/// Holds the blocks until it is destroyed, so that a loader needs memory for one layer at a time.
class QuantisedLayer {
public:
    QuantisedLayer(const LayerWeights &stored, ThreadTeam &team);
    QuantisedLayer(const QuantisedLayer &) = delete;
    QuantisedLayer &operator=(const QuantisedLayer &) = delete;

    [[nodiscard]] const LayerWeights &weights() const { return m_weights; }

private:
    struct Blocks {
        kernels::MatrixView source;
        std::vector<std::uint8_t> values; ///< e4m3 [rows, columns]
        std::vector<float> scales; ///< [ceil(rows/128), ceil(columns/128)]
    };

    void add(kernels::MatrixView &matrix);
    void add(FeedForwardWeights &block);

    LayerWeights m_weights;
    std::deque<Blocks> m_blocks; ///< views point into them
};

} // namespace bathyscope
