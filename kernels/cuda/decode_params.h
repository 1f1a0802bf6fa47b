// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parameters of the kernels that take one to eight consecutive tokens through a layer, shared by host and
// device. All pointers are device pointers; activations are float32.
#pragma once

#include "kernels/cuda/choose_params.h"
#include "kernels/cuda/device_layer.h"

#include <cstdint>

namespace bathyscope::kernels::cuda {

constexpr std::int32_t decodeThreads = 256; ///< of a block
constexpr std::int32_t decodeMaxThreads = 512; ///< of a block, where there are few
constexpr std::int32_t decodeMaxTokens = 8;
constexpr std::int32_t decodeMaxRope = 128; ///< qk_rope_head_dim at the most
constexpr std::int32_t decodeMaxLatent = 512; ///< kv_lora_rank at the most
constexpr std::int32_t decodeMaxWidth = 576; ///< both together at the most
constexpr std::int32_t decodeMaxExperts = 512;
constexpr std::int32_t decodeMaxChosen = 16; ///< experts of a token
constexpr std::int32_t decodeHeadGroup = 16; ///< heads that share one pass over the latents
constexpr std::int32_t decodeAttentionTile = 32; ///< positions that a block holds at once
constexpr std::int32_t decodeMaxSplits = 256; ///< parts of the positions before a token

/// What differs from step to step, so that one captured graph serves all of them.
struct DecodeStep {
    std::int32_t tokens = 0;
    std::int32_t firstPosition = 0;
    std::int32_t ids[decodeMaxTokens] = {};
    void *cache = nullptr; ///< half precision [layers, capacity, latent + rope], or keys and values
    std::int64_t cacheLayerStride = 0; ///< elements
    ChooseSettings choose; ///< where the step ends with a choice
    float cosines[decodeMaxTokens * decodeMaxRope / 2] = {}; ///< [tokens, rope / 2]
    float sines[decodeMaxTokens * decodeMaxRope / 2] = {}; ///< [tokens, rope / 2]
};

/// The first kernel of a step: hands the step to the others, and looks the tokens up.
struct BeginParams {
    DecodeStep *step = nullptr; ///< the copy that the other kernels read
    DeviceMatrix embedding; ///< without rows: x is given
    float *x = nullptr; ///< [tokens, hidden]
};

/// y[t] = W norm(x[t]) for one matrix, or up to three side by side.
struct ProjectParams {
    DeviceMatrix first;
    DeviceMatrix second; ///< of the same type and columns, or without rows
    DeviceMatrix third{}; ///< likewise
    float *firstOut = nullptr; ///< [tokens, first.rows]
    float *secondOut = nullptr; ///< [tokens, second.rows]
    float *thirdOut = nullptr; ///< [tokens, third.rows]
    const float *x = nullptr; ///< [tokens, first.columns], 16-byte aligned
    const float *norm = nullptr; ///< RMS norm's weight [first.columns]; none: x is multiplied as it is
    float epsilon = 0; ///< of the norm
    std::int32_t tokens = 0;
    bool add = false; ///< to what is there, not instead of it
};

/// Bytes that a later kernel will read whatever the tokens are: brought to the L2 cache while memory idles.
struct Prefetch {
    const void *data = nullptr;
    std::int64_t bytes = 0;
};

/// Latent attention in absorbed form (DeepSeek-V2, section 2.1.2), common to its three kernels.
struct AttentionParams {
    const DecodeStep *step = nullptr;
    DeviceMatrix kvB; ///< [heads * (nope + value), latent]
    const float *kvNorm = nullptr; ///< [latent]
    const float *query = nullptr; ///< [tokens, heads * (nope + rope)]
    const float *kv = nullptr; ///< [tokens, latent + rope]
    float *absorbed = nullptr; ///< [tokens, heads, latent + rope]
    float *partial = nullptr; ///< [tokens, head groups, splits, 16, latent], not normalised
    float *partialSums = nullptr; ///< [tokens, head groups, splits, 16, 2]: maximum (base 2) and sum
    float *attended = nullptr; ///< [tokens, heads * value]
    std::int32_t heads = 0;
    std::int32_t nope = 0; ///< qk_nope_head_dim
    std::int32_t rope = 0; ///< qk_rope_head_dim
    std::int32_t value = 0; ///< v_head_dim
    std::int32_t latent = 0; ///< kv_lora_rank
    std::int32_t layer = 0; ///< of the cache
    std::int32_t tokens = 0;
    std::int32_t splits = 0; ///< parts that a token's positions are divided into at the most
    float epsilon = 0;
    float softmaxScale = 0;
    bool ropeHalves = false; ///< pairs are (i, i + rope/2), not (2i, 2i + 1)
    Prefetch next; ///< for the kernels after
};

/// How the positions before a token are divided among blocks.
struct AttentionSplit {
    std::int32_t positionsEach = 0; ///< a multiple of decodeAttentionTile
    std::int32_t count = 0;
};

/// One routed expert of a token, laid out as ExpertChoice of the engine's records.
struct DecodeChoice {
    std::uint16_t expert;
    std::uint16_t unused;
    float weight;
};

/// How experts are chosen (DeepSeek-V2, section 2.2; DeepSeek-V3, section 2.1.2).
struct RoutingShape {
    std::int32_t experts = 0; ///< n_routed_experts
    std::int32_t chosen = 0; ///< num_experts_per_tok
    std::int32_t groups = 1; ///< n_group
    std::int32_t keptGroups = 1; ///< topk_group; as many as `groups` where groups play no part
    float factor = 1; ///< multiplies the weights
    bool sigmoid = false; ///< scores are sigmoids, not a softmax
    bool sumOfTwo = false; ///< a group is worth its two best experts, not its best
    bool normalise = false; ///< weights are divided by their sum
};

/// The experts that tokens chose. One that several chose is there once.
struct RoutingTable {
    std::int32_t count; ///< of different experts
    std::int16_t expertOf[decodeMaxTokens * decodeMaxChosen]; ///< of each place among them
    std::int8_t slotOf[decodeMaxTokens * decodeMaxChosen][decodeMaxTokens]; ///< place among a token's, or -1
    DecodeChoice choices[decodeMaxTokens][decodeMaxChosen]; ///< by ascending expert
};

/// The router of a layer.
struct RouteParams {
    ProjectParams logits; ///< the router's product; one matrix
    RoutingShape shape;
    const float *correctionBias = nullptr; ///< [experts], or none
    std::uint32_t *arrivals = nullptr; ///< 0 between launches
    RoutingTable *table = nullptr;
    DecodeChoice *choices = nullptr; ///< [tokens, chosen]
};

/// The feed-forward blocks of a layer: chosen experts and those that all tokens share, or one dense block.
struct FeedForwardParams {
    const RoutingTable *routing = nullptr;
    std::int32_t chosen = 0; ///< num_experts_per_tok; 0: a dense layer
    DeviceExperts expertGate;
    DeviceExperts expertUp;
    DeviceExperts expertDown;
    DeviceMatrix gate; ///< of the shared experts or the dense block; without rows: there are none
    DeviceMatrix up;
    DeviceMatrix down;
    const float *norm = nullptr; ///< RMS norm's weight [hidden]
    float epsilon = 0;
    float *x = nullptr; ///< residual stream [tokens, hidden]: read, and added to
    float *activations = nullptr; ///< [tokens, activationStride]: chosen experts' rows, then the others'
    std::int32_t activationStride = 0; ///< floats
    std::int32_t hidden = 0;
    std::int32_t firstToken = 0; ///< of this pass in the routing table
    std::int32_t tokens = 0;
};

/// Up to `most` tokens of a block from `begin` on.
constexpr FeedForwardParams tokensOf(FeedForwardParams params, std::int32_t begin, std::int32_t most)
{
    params.firstToken = begin;
    params.tokens = params.tokens - begin < most ? params.tokens - begin : most;
    params.x += std::int64_t(begin) * params.hidden;
    params.activations += std::int64_t(begin) * params.activationStride;
    return params;
}

} // namespace bathyscope::kernels::cuda
