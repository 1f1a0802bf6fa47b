// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_prefill_workspace.h"

#include <algorithm>

namespace bathyscope::cuda {

namespace {

constexpr std::int64_t workspaceBytes = std::int64_t(1) << 29U;
constexpr std::int64_t expandedBytes = std::int64_t(1) << 28U;
constexpr std::int32_t largestChunk = 4096;
constexpr std::int32_t smallestChunk = 256;

std::int64_t scaleBlocks(std::int64_t columns)
{
    return (columns + kernels::scaleBlock - 1) / kernels::scaleBlock;
}

DeviceBuffer buffer(std::int64_t elements, std::size_t size)
{
    return DeviceBuffer(static_cast<std::size_t>(std::max<std::int64_t>(elements, 1)) * size);
}

std::int64_t chosen(const ModelConfig &c)
{
    return c.moe ? c.moe->numExpertsPerTok : 0;
}

/// Widest of the blocks that every token goes through.
std::int64_t denseWidth(const ModelConfig &c)
{
    const std::int64_t shared = c.moe ? std::int64_t(c.moe->nSharedExperts) * c.moe->moeIntermediateSize : 0;
    return std::max<std::int64_t>(c.intermediateSize, shared);
}

std::int64_t expertWidth(const ModelConfig &c)
{
    return c.moe ? c.moe->moeIntermediateSize : 0;
}

/// Columns of what attention takes of a token.
struct AttentionWidths {
    std::int64_t queryLatent = 0;
    std::int64_t projectedQuery = 0; ///< in float32, before it is rotated
    std::int64_t query = 0;
    std::int64_t attended = 0;
};

AttentionWidths widthsOf(const ModelConfig &c)
{
    const std::int64_t heads = c.numAttentionHeads;
    if (const auto *gqa = std::get_if<GqaConfig>(&c.attention))
        return {0, heads * gqa->headDim, heads * gqa->headDim, heads * gqa->headDim};
    return {c.mla().qLoraRank, 0, heads * c.mla().qkHeadDim(), heads * c.mla().vHeadDim};
}

std::int64_t bytesPerToken(const ModelConfig &c)
{
    const AttentionWidths w = widthsOf(c);
    const std::int64_t inRowBuffers =
        c.hiddenSize + w.queryLatent + w.attended + denseWidth(c) + chosen(c) * expertWidth(c);
    return 3 * inRowBuffers + 4 * (w.queryLatent + w.projectedQuery) + 2 * w.query + 4 * c.cacheWidth()
        + 3 * chosen(c) * c.hiddenSize;
}

} // namespace

Rows Rows::from(std::int32_t count) const
{
    Rows rest = *this;
    rest.bf16 = bf16 ? static_cast<const std::uint16_t *>(bf16) + count * stride : nullptr;
    rest.e4m3 = e4m3 ? e4m3 + count * stride : nullptr;
    rest.scales = scales ? scales + count : nullptr;
    return rest;
}

RowBuffer::RowBuffer(std::int64_t rows, std::int64_t columns)
    : m_bf16(buffer(rows * columns, 2))
    , m_e4m3(buffer(rows * columns, 1))
    , m_scales(buffer(rows * scaleBlocks(columns), sizeof(float)))
    , m_rows(static_cast<std::int32_t>(rows))
{
}

Rows RowBuffer::view(std::int64_t columns) const
{
    return {bf16(), e4m3(), scales(), columns, m_rows};
}

PrefillWorkspace::PrefillWorkspace(const ModelConfig &c, std::int32_t tokens)
    : normed(tokens, c.hiddenSize)
    , factors(buffer(tokens, sizeof(float)))
    , queryLatent(buffer(tokens * widthsOf(c).queryLatent, sizeof(float)))
    , queryNormed(tokens, widthsOf(c).queryLatent)
    , projectedQuery(buffer(tokens * widthsOf(c).projectedQuery, sizeof(float)))
    , query(buffer(tokens * widthsOf(c).query, 2))
    , kv(buffer(std::int64_t(tokens) * c.cacheWidth(), sizeof(float)))
    , attended(tokens, widthsOf(c).attended)
    , activations(tokens, denseWidth(c))
    , gathered(buffer(tokens * chosen(c) * c.hiddenSize, 1))
    , gatheredScales(buffer(tokens * chosen(c) * scaleBlocks(c.hiddenSize), sizeof(float)))
    , expertActivations(tokens * chosen(c), expertWidth(c))
    , expertOut(buffer(tokens * chosen(c) * c.hiddenSize, 2))
    , cosines(buffer(std::int64_t(tokens) * c.ropeDimensions() / 2, sizeof(float)))
    , sines(buffer(std::int64_t(tokens) * c.ropeDimensions() / 2, sizeof(float)))
{
    if (!c.moe)
        return;
    const std::int64_t experts = c.moe->nRoutedExperts;
    routerLogits = buffer(tokens * experts, sizeof(float));
    choices = buffer(tokens * chosen(c), sizeof(kernels::cuda::RoutedExpert));
    groupRows = buffer(experts + 1, sizeof(std::int32_t));
    groupTiles = buffer(experts + 1, sizeof(std::int32_t));
    tokenOfRow = buffer(tokens * chosen(c), sizeof(std::int32_t));
    rowOfChoice = buffer(tokens * chosen(c), sizeof(std::int32_t));
}

std::int32_t prefillChunkTokens(const ModelConfig &config)
{
    const std::int64_t fitting = workspaceBytes / bytesPerToken(config) / smallestChunk * smallestChunk;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(
        fitting, smallestChunk, std::min(largestChunk, config.maxPositionEmbeddings)));
}

ExpandedContext::ExpandedContext(const ModelConfig &config)
    : m_mla(std::holds_alternative<MlaConfig>(config.attention) ? config.mla() : MlaConfig())
    , m_width(config.cacheWidth())
    , m_heads(config.numAttentionHeads)
{
}

void ExpandedContext::reserve(std::int32_t context)
{
    if (context <= m_capacity)
        return;
    constexpr std::int32_t step = 4096;
    m_capacity = std::max(step, std::max(context, m_capacity + m_capacity / 2) + step - 1) / step * step;
    m_expanded = {}; // before the new one is asked for
    m_latents = {};
    m_scales = {};
    m_cache = {};
    m_cache = buffer(std::int64_t(m_capacity) * m_width, 2);
    if (m_mla.kvLoraRank == 0)
        return;
    const std::int64_t perHead = std::int64_t(m_capacity) * (m_mla.qkNopeHeadDim + m_mla.vHeadDim) * 2;
    m_headsAtOnce = static_cast<std::int32_t>(std::clamp<std::int64_t>(expandedBytes / perHead, 1, m_heads));
    m_expanded = buffer(m_headsAtOnce * perHead, 1);
    m_latents = buffer(std::int64_t(m_capacity) * m_mla.kvLoraRank, 1);
    m_scales = buffer(m_capacity * scaleBlocks(m_mla.kvLoraRank), sizeof(float));
}

} // namespace bathyscope::cuda
