// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the parts of the CUDA executor share: weights on their cards, caches, streams.
#pragma once

#include "engine/executor/executor.h"
#include "engine/executor/rope_table.h"
#include "engine/models/model_weights.h"
#include "kernels/cuda/device_layer.h"
#include "kernels/cuda/runtime.h"

#include <memory>
#include <vector>

namespace bathyscope::cuda {

using kernels::cuda::DeviceBuffer;
using kernels::cuda::DeviceLayer;
using kernels::cuda::DeviceMatrix;

/// Consecutive layers on one card.
struct Part {
    std::unique_ptr<kernels::cuda::Device> device;
    kernels::cuda::DeviceInfo info;
    kernels::cuda::Stream stream; ///< all work on this card is in its order
    std::vector<DeviceBuffer> memory; ///< what the matrices point into
    std::int32_t firstLayer = 0;
    std::vector<DeviceLayer> layers;
    DeviceMatrix embedding; ///< first part only
    DeviceMatrix head; ///< last part only
    const float *finalNorm = nullptr; ///< last part only, [hidden]
    const float *inverseFrequencies = nullptr; ///< [rope / 2]; see RopeTable
};

/// Latents of all layers in bf16: 8 significant bits are what the published model computes with, and half
/// the bytes of float32 are what long contexts are read with.
class Cache final : public KvCache {
public:
    Cache(std::int32_t capacity, std::int32_t width, std::vector<DeviceBuffer> parts)
        : KvCache(capacity)
        , m_width(width)
        , m_parts(std::move(parts))
    {
    }

    /// bf16 [capacity, kv_lora_rank + qk_rope_head_dim] of one layer: normalised latent, then rotated key.
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
    ModelConfig config;
    RopeTable rope;
    float softmaxScale = 0;
    std::vector<Part> parts; ///< at least one, in the order of their layers
};

} // namespace bathyscope::cuda
