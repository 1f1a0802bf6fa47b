// SPDX-License-Identifier: GPL-3.0-or-later
//
// Device memory of a prefill: activations of a chunk, and keys and values of its context.
#pragma once

#include "engine/models/model_config.h"
#include "kernels/cuda/prefill_params.h"
#include "kernels/cuda/runtime.h"

namespace bathyscope::cuda {

using kernels::cuda::DeviceBuffer;

/// Rows of activations as a product reads them: bf16, e4m3 with scales, or both.
struct Rows {
    const void *bf16 = nullptr; ///< [rows, stride]
    const std::uint8_t *e4m3 = nullptr; ///< [rows, stride]
    const float *scales = nullptr; ///< [ceil(columns/128), scaleStride]
    std::int64_t stride = 0;
    std::int32_t scaleStride = 0;

    /// Without the first `count` rows.
    [[nodiscard]] Rows from(std::int32_t count) const;
};

/// Memory for such rows.
class RowBuffer {
public:
    RowBuffer() = default;
    RowBuffer(std::int64_t rows, std::int64_t columns);

    [[nodiscard]] void *bf16() const { return m_bf16.as(); }
    [[nodiscard]] std::uint8_t *e4m3() const { return m_e4m3.as<std::uint8_t>(); }
    [[nodiscard]] float *scales() const { return m_scales.as<float>(); }
    [[nodiscard]] std::int32_t rows() const { return m_rows; }
    /// Rows of `columns` that follow each other, no more of them than the buffer is wide.
    [[nodiscard]] Rows view(std::int64_t columns) const;

private:
    DeviceBuffer m_bf16;
    DeviceBuffer m_e4m3;
    DeviceBuffer m_scales;
    std::int32_t m_rows = 0;
};

/// Activations of a chunk of up to `tokens` tokens.
struct PrefillWorkspace {
    PrefillWorkspace(const ModelConfig &config, std::int32_t tokens);

    RowBuffer normed; ///< [tokens, hidden]
    DeviceBuffer factors; ///< float32 [tokens], of the last norm
    DeviceBuffer queryLatent; ///< float32 [tokens, q_lora_rank]
    RowBuffer queryNormed; ///< [tokens, q_lora_rank]
    DeviceBuffer projectedQuery; ///< float32 [tokens, heads * head_dim], grouped-query attention only
    DeviceBuffer query; ///< bf16 [tokens, heads * qk_head_dim]
    DeviceBuffer kv; ///< float32 [tokens, cache width]
    RowBuffer attended; ///< [tokens, heads * v_head_dim]
    RowBuffer activations; ///< of the dense or the shared block, [tokens, intermediate]
    DeviceBuffer gathered; ///< e4m3 [tokens * k, hidden]: normalised rows in the order of the experts
    DeviceBuffer gatheredScales; ///< float32 [ceil(hidden/128), tokens * k]
    RowBuffer expertActivations; ///< [tokens * k, moe_intermediate_size]
    DeviceBuffer expertOut; ///< bf16 [tokens * k, hidden]
    DeviceBuffer cosines; ///< float32 [tokens, rope / 2]
    DeviceBuffer sines; ///< float32 [tokens, rope / 2]
    DeviceBuffer routerLogits; ///< float32 [tokens, experts]
    DeviceBuffer choices; ///< RoutedExpert [tokens, k]
    DeviceBuffer groupRows; ///< int32 [experts + 1]
    DeviceBuffer groupTiles; ///< int32 [experts + 1]
    DeviceBuffer tokenOfRow; ///< int32 [tokens * k]
    DeviceBuffer rowOfChoice; ///< int32 [tokens * k]
};

/// Tokens of a chunk whose workspace stays near half a gigabyte.
std::int32_t prefillChunkTokens(const ModelConfig &config);

/// The cache of one layer at a time as attention reads it; of latents, keys and values for as many heads at
/// once as fit. Grows with the context.
class ExpandedContext {
public:
    explicit ExpandedContext(const ModelConfig &config);

    /// Makes room for `context` tokens. Growing waits for the card.
    void reserve(std::int32_t context);

    [[nodiscard]] std::int32_t headsAtOnce() const { return m_headsAtOnce; }
    [[nodiscard]] std::uint16_t *expanded() const
    {
        return m_expanded.as<std::uint16_t>();
    } ///< bf16 [context, heads, nope + value]
    [[nodiscard]] std::uint8_t *latents() const
    {
        return m_latents.as<std::uint8_t>();
    } ///< [context, latent]
    [[nodiscard]] float *scales() const { return m_scales.as<float>(); } ///< [ceil(latent/128), capacity()]
    [[nodiscard]] std::uint16_t *cache() const
    {
        return m_cache.as<std::uint16_t>();
    } ///< bf16 [context, width]
    [[nodiscard]] std::int32_t capacity() const { return m_capacity; } ///< tokens

private:
    MlaConfig m_mla; ///< without sizes where attention is not latent
    std::int32_t m_width; ///< of the cache
    std::int32_t m_heads;
    std::int32_t m_headsAtOnce = 0;
    std::int32_t m_capacity = 0;
    DeviceBuffer m_expanded;
    DeviceBuffer m_latents;
    DeviceBuffer m_scales;
    DeviceBuffer m_cache;
};

} // namespace bathyscope::cuda
