// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the parts of the CPU executor share: weights, buffers, and the two ways through a layer.
#pragma once

#include "engine/executor/cpu_feed_forward.h"
#include "engine/executor/executor.h"
#include "engine/executor/rope_table.h"
#include "engine/executor/router.h"
#include "engine/executor/thread_team.h"
#include "engine/models/model_weights.h"

#include <memory>
#include <optional>
#include <vector>

namespace bathyscope::cpu {

using Member = ThreadTeam::Member;

/// Rows of all layers, [layers, capacity, ModelConfig::cacheWidth()], the MTP layer last: latents, or keys
/// and values. Pages that were never written take no memory.
class Cache final : public KvCache {
public:
    Cache(std::int32_t capacity, std::int64_t layers, std::int64_t width)
        : KvCache(capacity)
        , m_layerSize(capacity * width)
        , m_values(std::make_unique_for_overwrite<float[]>(static_cast<std::size_t>(layers * m_layerSize)))
    {
    }

    [[nodiscard]] float *layer(std::int64_t index) { return m_values.get() + index * m_layerSize; }

private:
    std::int64_t m_layerSize;
    std::unique_ptr<float[]> m_values;
};

/// Memory of one thread.
struct Scratch {
    std::vector<float> normed; ///< [hidden]
    std::vector<float> queryNormed; ///< [q_lora_rank]
    std::vector<float> query; ///< [heads' absorbed results]
    std::vector<float> block; ///< one token's results of a feed-forward block's rows
    std::vector<float> attention;
    std::optional<Router> router;
    std::vector<ExpertChoice> choices; ///< of one token
};

/// Activations that all threads see, for a chunk of tokens.
struct Buffers {
    std::vector<float> x; ///< residual stream [tokens, hidden]
    std::vector<float> normed; ///< [tokens, hidden]
    std::vector<float> queryLatent; ///< [tokens, q_lora_rank]
    std::vector<float> query; ///< [tokens, heads * qk_head_dim]
    std::vector<float> absorbed; ///< [heads, cache width], one token
    std::vector<float> kv; ///< [tokens, cache width]; grouped: all keys, then all values
    std::vector<float> attended; ///< [tokens, heads * v_head_dim]
    std::vector<float> routerLogits; ///< [tokens, n_routed_experts]
    std::vector<ExpertChoice> choices; ///< [tokens, num_experts_per_tok]
    std::vector<float> activations; ///< of all feed-forward blocks, one token
    std::vector<float> cosines; ///< [tokens, rope / 2]
    std::vector<float> sines; ///< [tokens, rope / 2]
};

/// A chunk of tokens on its way through the stack.
struct Chunk {
    std::int64_t tokens = 0;
    std::int64_t firstPosition = 0;
    /// First token whose output is needed after this layer: in the last layer only the last one's may be.
    std::int64_t firstNeeded = 0;
};

struct State {
    ModelConfig config;
    std::shared_ptr<const TensorSource> source;
    ModelWeights weights;
    RopeTable rope;
    float softmaxScale;
    std::vector<Scratch> scratch; ///< by thread
    Buffers buffers;
    FeedForward feedForward; ///< of chunks

    State(const ModelConfig &config, std::shared_ptr<const TensorSource> source, int threads);

    /// Makes room for chunks of `tokens`.
    void reserve(std::int64_t tokens);

private:
    void reserveAttention(std::size_t tokens, const MlaConfig &mla);
    void reserveAttention(std::size_t tokens, const GqaConfig &gqa);
};

/// Rows that one thread takes at a time: small enough to balance, a multiple of what gemv() does at once.
std::int64_t rowGrain(const Member &member, std::int64_t rows);

/// One token through one layer, attention in absorbed form. All members call it together; the router's
/// choice is left in state.buffers.choices.
void decodeLayer(Member &member, State &state, const LayerWeights &layer, float *cache, const Chunk &chunk);

/// A chunk of tokens through one layer, attention in expanded form. Likewise.
void prefillLayer(Member &member, State &state, const LayerWeights &layer, float *cache, const Chunk &chunk);

/// Grouped-query attention of one token: reads its normalised input from every member's Scratch::normed.
/// Leaves the heads' results in Buffers::attended.
void decodeGroupedAttention(Member &member, State &state, const GqaWeights &weights, float *cache,
                            std::int64_t position);

/// The same for a chunk, from Buffers::normed.
void prefillGroupedAttention(Member &member, State &state, const GqaWeights &weights, float *cache,
                             const Chunk &chunk);

/// y[m, rows] = W x[m], or +=, split among the members.
struct ProductParams {
    const kernels::MatrixView &weights;
    std::int64_t m = 0;
    const float *x = nullptr; ///< [m, columns]
    float *y = nullptr; ///< [m, rows]
    bool accumulate = false;
};
void multiply(Member &member, const ProductParams &params);

} // namespace bathyscope::cpu
