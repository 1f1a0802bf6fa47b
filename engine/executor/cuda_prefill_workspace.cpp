// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_prefill_workspace.h"

#include "engine/error.h"

#include <algorithm>
#include <string>

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

std::int64_t bytesPerToken(const ModelConfig &c)
{
    const std::int64_t heads = c.numAttentionHeads;
    const std::int64_t inRowBuffers = c.hiddenSize + c.mla().qLoraRank + heads * c.mla().vHeadDim
        + denseWidth(c) + chosen(c) * expertWidth(c);
    return 3 * inRowBuffers + 4 * c.mla().qLoraRank + 2 * heads * c.mla().qkHeadDim()
        + 4 * c.mla().cacheWidth() + 3 * chosen(c) * c.hiddenSize;
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
    , queryLatent(buffer(std::int64_t(tokens) * c.mla().qLoraRank, sizeof(float)))
    , queryNormed(tokens, c.mla().qLoraRank)
    , query(buffer(std::int64_t(tokens) * c.numAttentionHeads * c.mla().qkHeadDim(), 2))
    , kv(buffer(std::int64_t(tokens) * c.mla().cacheWidth(), sizeof(float)))
    , attended(tokens, std::int64_t(c.numAttentionHeads) * c.mla().vHeadDim)
    , activations(tokens, denseWidth(c))
    , gathered(buffer(tokens * chosen(c) * c.hiddenSize, 1))
    , gatheredScales(buffer(tokens * chosen(c) * scaleBlocks(c.hiddenSize), sizeof(float)))
    , expertActivations(tokens * chosen(c), expertWidth(c))
    , expertOut(buffer(tokens * chosen(c) * c.hiddenSize, 2))
    , cosines(buffer(std::int64_t(tokens) * c.mla().qkRopeHeadDim / 2, sizeof(float)))
    , sines(buffer(std::int64_t(tokens) * c.mla().qkRopeHeadDim / 2, sizeof(float)))
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

void checkPrefillSizes(const ModelConfig &config)
{
    const auto need = [](bool holds, const char *what) {
        if (!holds)
            throw Error(std::string("this model cannot run on the GPU: ") + what);
    };
    const MlaConfig &m = config.mla();
    need(m.qkHeadDim() <= 192 && m.vHeadDim <= 128,
         "heads must have at most 192 values in keys and 128 in values");
    need(m.qkNopeHeadDim % 8 == 0 && m.qkRopeHeadDim % 8 == 0 && m.vHeadDim % 8 == 0 && m.kvLoraRank % 8 == 0
             && m.qLoraRank % 8 == 0 && config.hiddenSize % 16 == 0,
         "sizes of heads and latents must be multiples of 8, hidden_size one of 16");
    need(!config.moe || (config.moe->nRoutedExperts <= 1024 && config.moe->numExpertsPerTok <= 32),
         "more than 1024 experts, or more than 32 for one token");
    need(!config.moe || config.moe->nGroup <= 32, "more than 32 groups of experts");
}

std::int32_t prefillChunkTokens(const ModelConfig &config)
{
    const std::int64_t fitting = workspaceBytes / bytesPerToken(config) / smallestChunk * smallestChunk;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(
        fitting, smallestChunk, std::min(largestChunk, config.maxPositionEmbeddings)));
}

ExpandedContext::ExpandedContext(const ModelConfig &config)
    : m_mla(config.mla())
    , m_heads(config.numAttentionHeads)
{
}

void ExpandedContext::reserve(std::int32_t context)
{
    if (context <= m_capacity)
        return;
    constexpr std::int32_t step = 4096;
    m_capacity = std::max(step, std::max(context, m_capacity + m_capacity / 2) + step - 1) / step * step;
    const std::int64_t perHead = std::int64_t(m_capacity) * (m_mla.qkNopeHeadDim + m_mla.vHeadDim) * 2;
    m_headsAtOnce = static_cast<std::int32_t>(std::clamp<std::int64_t>(expandedBytes / perHead, 1, m_heads));
    m_expanded = {}; // before the new one is asked for
    m_latents = {};
    m_scales = {};
    m_cache = {};
    m_expanded = buffer(m_headsAtOnce * perHead, 1);
    m_latents = buffer(std::int64_t(m_capacity) * m_mla.kvLoraRank, 1);
    m_scales = buffer(m_capacity * scaleBlocks(m_mla.kvLoraRank), sizeof(float));
    m_cache = buffer(std::int64_t(m_capacity) * m_mla.cacheWidth(), 2);
}

} // namespace bathyscope::cuda
