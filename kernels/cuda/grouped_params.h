// SPDX-License-Identifier: GPL-3.0-or-later
//
// Parameters of the kernels of grouped-query attention (arXiv 2305.13245), shared by host and device. All
// pointers are device pointers. A row of the cache holds the keys of all key-value heads, then their values.
#pragma once

#include "kernels/cuda/decode_params.h"

namespace bathyscope::kernels::cuda {

constexpr std::int32_t groupedMaxHead = 128; ///< head_dim at the most
constexpr std::int32_t groupedHeads = 8; ///< heads of a group that share one pass over keys and values
constexpr std::int32_t groupedThreads = 256; ///< of a block
/// Positions that a block takes at once: parts of a context are multiples of it.
constexpr std::int32_t groupedTile = groupedThreads / 32 * 16;

/// What is done to heads after their projections: bias, RMS norm, rotation.
struct HeadsParams {
    const float *qBias = nullptr; ///< [heads * headDim], or none
    const float *kBias = nullptr; ///< [keyHeads * headDim], or none
    const float *vBias = nullptr; ///< likewise
    const float *qNorm = nullptr; ///< [headDim], or none
    const float *kNorm = nullptr; ///< likewise
    std::int32_t heads = 0;
    std::int32_t keyHeads = 0; ///< heads of keys and values: a divisor of `heads`
    std::int32_t headDim = 0; ///< a multiple of 8
    float epsilon = 0; ///< of the norms
    bool ropeHalves = false; ///< pairs are (i, i + headDim / 2), not (2i, 2i + 1)
};

/// Attention of one to eight consecutive tokens, whose keys and values it appends to the cache.
struct GroupedAttentionParams {
    const DecodeStep *step = nullptr;
    HeadsParams heads;
    const float *query = nullptr; ///< [tokens, heads * headDim], as projected
    const float *key = nullptr; ///< [tokens, keyHeads * headDim], likewise
    const float *value = nullptr; ///< likewise
    float *partial = nullptr; ///< [tokens, head groups, splits, 8, headDim], not normalised
    float *partialSums = nullptr; ///< [tokens, head groups, splits, 8, 2]: maximum (base 2) and sum
    std::uint32_t *arrivals = nullptr; ///< [tokens, head groups]: 0 between launches
    float *attended = nullptr; ///< [tokens, heads * headDim]
    std::int32_t layer = 0; ///< of the cache
    std::int32_t tokens = 0;
    std::int32_t splits = 0; ///< parts that a token's positions are divided into at the most
    float softmaxScale = 0;
    Prefetch next; ///< for the kernels after
};

/// Groups of up to groupedHeads heads with common keys and values.
constexpr std::int32_t headGroups(std::int32_t heads, std::int32_t keyHeads)
{
    return (heads / keyHeads + groupedHeads - 1) / groupedHeads * keyHeads;
}

/// Queries, keys and values of a chunk, from their projections to what attention reads.
struct PrefillHeadsParams {
    HeadsParams heads;
    const float *query = nullptr; ///< [tokens - firstQuery, heads * headDim]
    const float *kv = nullptr; ///< [tokens, 2 * keyHeads * headDim]: keys, then values
    const float *cosines = nullptr; ///< [tokens, headDim / 2]
    const float *sines = nullptr; ///< [tokens, headDim / 2]
    void *rotated = nullptr; ///< bf16 [tokens - firstQuery, heads * headDim]
    void *cache = nullptr; ///< half [tokens, 2 * keyHeads * headDim]: rows of the chunk
    std::int32_t firstQuery = 0; ///< token of the first query that is needed
};

} // namespace bathyscope::kernels::cuda
