// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the parts of the CUDA executor share: weights on their cards, caches, streams.
#pragma once

#include "engine/executor/cuda_executor.h"
#include "engine/executor/executor.h"
#include "engine/executor/rope_table.h"
#include "engine/models/model_weights.h"
#include "kernels/cuda/device_layer.h"
#include "kernels/cuda/driver.h"
#include "kernels/cuda/grouped_params.h"
#include "kernels/cuda/runtime.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace bathyscope::cuda {

using kernels::cuda::DeviceBuffer;
using kernels::cuda::DeviceLayer;
using kernels::cuda::DeviceMatrix;

/// The multi-token prediction layer, on the last card.
struct DraftLayer {
    DeviceLayer layer;
    DeviceMatrix projection; ///< eh_proj [hidden, 2 * hidden]
    DeviceMatrix head;
    const float *finalNorm = nullptr; ///< [hidden]
};

/// Consecutive layers on one card.
struct Part {
    std::unique_ptr<kernels::cuda::Device> device; ///< outlives all that was made on it
    kernels::cuda::DeviceInfo info;
    kernels::cuda::Stream stream; ///< made on the card that is current; all work on this card is in its order
    std::vector<DeviceBuffer> memory; ///< what the matrices point into
    std::int32_t firstLayer = 0;
    std::int32_t firstMoeLayer = 0; ///< MoE layers of the parts before
    std::vector<DeviceLayer> layers;
    DeviceMatrix embedding; ///< first part only
    DeviceMatrix head; ///< last part only
    const float *finalNorm = nullptr; ///< last part only, [hidden]
    const float *inverseFrequencies = nullptr; ///< [rope / 2]; see RopeTable
    std::optional<DraftLayer> draft; ///< last part only

    [[nodiscard]] std::size_t moeLayers() const
    {
        return static_cast<std::size_t>(std::count_if(
            layers.begin(), layers.end(), [](const DeviceLayer &layer) { return layer.router.rows > 0; }));
    }
};

/// Latents, or keys and values, of all layers in half precision: as many bytes as bf16, which would miss the
/// bound of 3e-2 on logits, for eight times the precision; they are normalised, and what is rotated stays far
/// below 65504.
class Cache final : public KvCache {
public:
    Cache(std::int32_t capacity, std::int32_t width, std::vector<DeviceBuffer> parts)
        : KvCache(capacity)
        , m_width(width)
        , m_parts(std::move(parts))
    {
    }

    /// The layer after a part's last is the draft's, where the part has one.
    /// half [capacity, width] of one layer: normalised latent, then rotated key; or the rotated keys of all
    /// heads, then their values.
    [[nodiscard]] std::uint16_t *layer(std::size_t part, std::int32_t layerOfPart) const
    {
        return m_parts[part].as<std::uint16_t>() + std::int64_t(layerOfPart) * capacity() * m_width;
    }

private:
    std::int32_t m_width;
    std::vector<DeviceBuffer> m_parts; ///< [layers of the part, capacity, width]
};

/// The stack on its cards.
struct Model {
    /// Loads the layers. Throws Error for what the kernels do not have, kernels::cuda::CudaError for the
    /// rest.
    Model(const ModelConfig &config, const ModelWeights &weights, std::span<const CudaShare> shares,
          const CudaOptions &options);

    ModelConfig config;
    RopeTable rope;
    float softmaxScale = 0;
    std::vector<Part> parts; ///< at least one, in the order of their layers
};

/// What the kernels of grouped-query attention want to know of a layer's heads.
inline kernels::cuda::HeadsParams headsOf(const ModelConfig &c,
                                          const kernels::cuda::DeviceGroupedAttention &w)
{
    return {.qBias = w.qBias,
            .kBias = w.kBias,
            .vBias = w.vBias,
            .qNorm = w.qNorm,
            .kNorm = w.kNorm,
            .heads = c.numAttentionHeads,
            .keyHeads = c.gqa().numKeyValueHeads,
            .headDim = c.gqa().headDim,
            .epsilon = static_cast<float>(c.rmsNormEps),
            .ropeHalves = c.rope.pairs == kernels::RopePairs::Halves};
}

} // namespace bathyscope::cuda
