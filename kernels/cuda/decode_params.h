// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parameters of the kernel that takes one to eight consecutive tokens through a stack of layers, shared by
// host and device. All pointers are device pointers.
#pragma once

#include "kernels/cuda/device_layer.h"

#include <cstdint>

namespace bathyscope::kernels::cuda {

constexpr std::int32_t decodeThreads = 512; ///< of a block; one block a multiprocessor
constexpr std::int32_t decodeMaxTokens = 8;
constexpr std::int32_t decodeMaxRope = 128; ///< qk_rope_head_dim at the most
constexpr std::int32_t decodeMaxLatent = 512; ///< kv_lora_rank at the most
constexpr std::int32_t decodeMaxExperts = 512;
constexpr std::int32_t decodeMaxChosen = 16; ///< experts of a token
constexpr std::int32_t decodeHeadGroup = 16; ///< heads that share one pass over the latents

/// One routed expert of a token, laid out as ExpertChoice of the engine's records.
struct DecodeChoice {
    std::uint16_t expert;
    std::uint16_t unused;
    float weight;
};

/// Shapes and constants of a model.
struct DecodeShape {
    std::int32_t hidden = 0;
    std::int32_t heads = 0;
    std::int32_t nope = 0; ///< qk_nope_head_dim
    std::int32_t rope = 0; ///< qk_rope_head_dim
    std::int32_t value = 0; ///< v_head_dim
    std::int32_t latent = 0; ///< kv_lora_rank
    std::int32_t experts = 0; ///< n_routed_experts
    std::int32_t chosen = 0; ///< num_experts_per_tok
    std::int32_t groups = 1; ///< n_group
    std::int32_t keptGroups = 1; ///< topk_group; as many as `groups` where groups play no part
    std::int32_t expertRows = 0; ///< moe_intermediate_size
    std::int32_t activationStride = 0; ///< floats of one token in DecodeBuffers::activations
    float epsilon = 0; ///< of all norms
    float softmaxScale = 0;
    float expertFactor = 1; ///< multiplies the weights of the experts
    bool ropeHalves = false; ///< pairs are (i, i + rope/2), not (2i, 2i + 1)
    bool sigmoid = false; ///< scores are sigmoids, not a softmax
    bool sumOfTwo = false; ///< a group is worth its two best experts, not its best
    bool normalise = false; ///< weights are divided by their sum
};

/// Activations between the stages, all float32 but for the choices.
struct DecodeBuffers {
    float *x = nullptr; ///< residual stream [tokens, hidden]
    float *queryLatent = nullptr; ///< [tokens, q_lora_rank]
    float *query = nullptr; ///< [tokens, heads * (nope + rope)]
    float *kv = nullptr; ///< [tokens, latent + rope]
    float *absorbed = nullptr; ///< [tokens, heads, latent + rope]
    float *partial = nullptr; ///< [items, 16, latent]: attention of parts of the positions, not normalised
    float *partialSums = nullptr; ///< [items, 16, 2]: maximum (base 2) and sum of each row
    float *attended = nullptr; ///< [tokens, heads * value]
    float *routerLogits = nullptr; ///< [tokens, experts]
    float *activations = nullptr; ///< [tokens, chosen * expertRows + shared rows]
    DecodeChoice *choices = nullptr; ///< [MoE layers, tokens, chosen]
    float *logits = nullptr; ///< [tokens, vocabulary]
    std::uint32_t *arrivals = nullptr; ///< blocks at the barrier; 0 between launches
};

/// Where a launch begins and ends in the stack.
struct DecodeParams {
    DecodeShape shape;
    DecodeBuffers buffers;
    const DeviceLayer *layers = nullptr; ///< [layerCount]
    std::int32_t layerCount = 0;
    DeviceMatrix embedding; ///< without rows: x is given
    DeviceMatrix head; ///< without rows: x is the result
    const float *finalNorm = nullptr; ///< [hidden]
    void *cache = nullptr; ///< half precision [layerCount, capacity, latent + rope]
    std::int64_t cacheLayerStride = 0; ///< elements
    std::int32_t logitsFrom = 0; ///< first token that logits are asked for
};

/// What differs from step to step.
struct DecodeStep {
    std::int32_t tokens = 0;
    std::int32_t firstPosition = 0;
    std::int32_t ids[decodeMaxTokens] = {};
    float cosines[decodeMaxTokens * decodeMaxRope / 2] = {}; ///< [tokens, rope / 2]
    float sines[decodeMaxTokens * decodeMaxRope / 2] = {}; ///< [tokens, rope / 2]
};

/// How the positions before a token are divided among blocks, the same on host and device.
struct AttentionSplit {
    std::int32_t positionsEach = 0; ///< a multiple of attentionTile
    std::int32_t count = 0;
};
constexpr std::int32_t attentionTile = 64;
constexpr std::int32_t attentionMaxSplits = 128;

constexpr std::int64_t decodeStateBytes = 16 * 1024; ///< of shared memory, for a block's small things
constexpr std::int64_t decodeRingBytes = 108 * 1024; ///< likewise, for weights on their way

/// Shared memory that a block needs: for the tiles of attention over `width` values a position, and for one
/// token's `longestRow` activations beside the rings.
constexpr std::int64_t decodeSharedBytes(std::int64_t width, std::int64_t longestRow)
{
    const std::int64_t attention = 2 * (decodeHeadGroup + attentionTile) * (width + 8) * 2
        + decodeHeadGroup * (attentionTile + 8) * 2 + 2 * decodeHeadGroup * (attentionTile + 4) * 4;
    const std::int64_t products = decodeRingBytes + (longestRow + 132) * 4;
    return decodeStateBytes + (attention > products ? attention : products);
}

} // namespace bathyscope::kernels::cuda
