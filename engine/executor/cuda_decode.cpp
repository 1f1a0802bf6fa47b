// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_decode.h"

#include "engine/error.h"
#include "kernels/cuda/decode_product_params.h"
#include "kernels/cuda/images.h"
#include "kernels/cuda/launch.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

BATHYSCOPE_DEVICE_IMAGE(any_decode)
BATHYSCOPE_DEVICE_IMAGE(any_decode_product)

namespace bathyscope::cuda {

using namespace kernels::cuda;

namespace {

DecodeShape shapeOf(const ModelConfig &c)
{
    DecodeShape s;
    s.hidden = c.hiddenSize;
    s.heads = c.numAttentionHeads;
    s.nope = c.mla().qkNopeHeadDim;
    s.rope = c.mla().qkRopeHeadDim;
    s.value = c.mla().vHeadDim;
    s.latent = c.mla().kvLoraRank;
    s.epsilon = static_cast<float>(c.rmsNormEps);
    s.softmaxScale = c.softmaxScale();
    s.ropeHalves = c.rope.pairs == kernels::RopePairs::Halves;
    s.activationStride = c.intermediateSize;
    if (!c.moe)
        return s;
    const MoeConfig &moe = *c.moe;
    s.experts = moe.nRoutedExperts;
    s.chosen = moe.numExpertsPerTok;
    const bool grouped = moe.topkMethod != TopkMethod::Greedy && moe.topkGroup < moe.nGroup;
    s.groups = grouped ? moe.nGroup : 1;
    s.keptGroups = grouped ? moe.topkGroup : 1;
    s.expertRows = moe.moeIntermediateSize;
    s.activationStride =
        std::max(s.activationStride, (moe.numExpertsPerTok + moe.nSharedExperts) * moe.moeIntermediateSize);
    s.sigmoid = moe.scoring == ScoringFunction::Sigmoid;
    s.sumOfTwo = moe.topkMethod == TopkMethod::NoauxTc;
    s.normalise = moe.normTopkProb && moe.numExpertsPerTok > 1;
    s.expertFactor = s.normalise && !moe.scaleNormalised ? 1.0F : static_cast<float>(moe.routedScalingFactor);
    return s;
}

/// Throws Error where the card's blocks have too little shared memory for the model's rows.
void expectSharedMemory(const Part &part, const ModelConfig &c)
{
    std::int64_t longest = std::max(
        {c.hiddenSize, c.numAttentionHeads * c.mla().vHeadDim, c.mla().qLoraRank, c.intermediateSize});
    if (c.moe)
        longest = std::max<std::int64_t>(longest,
                                         (c.moe->numExpertsPerTok + c.moe->nSharedExperts)
                                             * ((c.moe->moeIntermediateSize + 127) / 128 * 128));
    const std::int64_t needed = decodeSharedBytes(c.cacheWidth(), longest);
    if (needed > part.info.sharedMemoryPerBlock)
        throw Error(
            fmt::format("{}: the kernels need {} KB of shared memory a block for this model, the card "
                        "has {} KB: use the CPU",
                        part.info.name, (needed + 1023) / 1024, part.info.sharedMemoryPerBlock / 1024));
}

/// Pieces of one allocation.
class Pieces {
public:
    template <typename T>
    void add(T *&target, std::int64_t count)
    {
        m_setters.emplace_back(
            [&target, offset = m_size](std::byte *base) { target = reinterpret_cast<T *>(base + offset); });
        m_size += (static_cast<std::size_t>(count) * sizeof(T) + 255) / 256 * 256;
    }
    DeviceBuffer allocate()
    {
        DeviceBuffer memory(m_size);
        memory.fill(0);
        for (const auto &set : m_setters)
            set(memory.as<std::byte>());
        return memory;
    }

private:
    std::vector<std::function<void(std::byte *)>> m_setters;
    std::size_t m_size = 0;
};

} // namespace

Decode::Decode(const Model &model, std::size_t part)
    : m_model(model)
    , m_part(model.parts[part])
    , m_partIndex(part)
    , m_shape(shapeOf(model.config))
    , m_module(images::any_decode())
    , m_productModule(images::any_decode_product())
    , m_stack(m_module.kernel("decodeStack"))
    , m_product(m_productModule.kernel("decodeProduct"))
    , m_sharedBytes(static_cast<unsigned>(m_part.info.sharedMemoryPerBlock))
{
    expectSharedMemory(m_part, model.config);
    m_stack.allowSharedMemory(static_cast<int>(m_sharedBytes));
    m_product.allowSharedMemory(static_cast<int>(m_sharedBytes));
    std::vector<DeviceLayer> layers = m_part.layers;
    if (m_part.draft)
        layers.push_back(m_part.draft->layer);
    m_layers = DeviceBuffer(layers.size() * sizeof(DeviceLayer));
    m_layers.upload(layers.data(), m_layers.size());

    const DecodeShape &s = m_shape;
    constexpr std::int64_t tokens = decodeMaxTokens;
    const std::int64_t headGroups = (s.heads + decodeHeadGroup - 1) / decodeHeadGroup;
    const std::int64_t items = std::max<std::int64_t>(m_part.info.multiprocessors, tokens * headGroups);
    const ModelConfig &c = model.config;
    Pieces pieces;
    pieces.add(m_buffers.x, tokens * s.hidden);
    pieces.add(m_buffers.queryLatent, tokens * c.mla().qLoraRank);
    pieces.add(m_buffers.query, tokens * s.heads * (s.nope + s.rope));
    pieces.add(m_buffers.kv, tokens * (s.latent + s.rope));
    pieces.add(m_buffers.absorbed, tokens * s.heads * (s.latent + s.rope));
    pieces.add(m_buffers.partial, items * decodeHeadGroup * s.latent);
    pieces.add(m_buffers.partialSums, items * decodeHeadGroup * 2);
    pieces.add(m_buffers.attended, tokens * s.heads * s.value);
    pieces.add(m_buffers.routerLogits, tokens * s.experts);
    pieces.add(m_buffers.activations, tokens * s.activationStride);
    pieces.add(m_buffers.choices, tokens * static_cast<std::int64_t>(layers.size()) * s.chosen);
    pieces.add(m_buffers.logits, m_part.head.rows > 0 ? tokens * c.vocabSize : 0);
    pieces.add(m_buffers.arrivals, 1);
    m_memory = pieces.allocate();
}

void Decode::launchStack(const DecodeStep &step, const DecodeParams &params)
{
    launch(m_stack,
           {.grid = {static_cast<unsigned>(m_part.info.multiprocessors)},
            .block = {static_cast<unsigned>(decodeThreads)},
            .sharedBytes = m_sharedBytes,
            .cooperative = true},
           m_part.stream, params, step);
}

void Decode::run(const DecodeStep &step, const DecodeRange &range, const Cache &cache)
{
    DecodeParams params;
    params.shape = m_shape;
    params.buffers = m_buffers;
    params.buffers.choices += std::int64_t(range.firstMoeLayer) * step.tokens * m_shape.chosen;
    params.layers = m_layers.as<DeviceLayer>() + range.firstLayer;
    params.layerCount = range.layers;
    if (range.embed)
        params.embedding = m_part.embedding;
    if (range.logits)
        params.head = m_part.head;
    params.finalNorm = m_part.finalNorm;
    params.cache = cache.layer(m_partIndex, range.firstLayer);
    params.cacheLayerStride = std::int64_t(cache.capacity()) * m_model.config.cacheWidth();
    params.logitsFrom = range.logitsFrom;
    launchStack(step, params);
}

void Decode::runDraft(const DecodeStep &step, const Cache &cache)
{
    const auto layer = static_cast<std::int32_t>(m_part.layers.size());
    DecodeParams params;
    params.shape = m_shape;
    params.buffers = m_buffers;
    params.layers = m_layers.as<DeviceLayer>() + layer;
    params.layerCount = 1;
    params.head = m_part.draft->head;
    params.finalNorm = m_part.draft->finalNorm;
    params.cache = cache.layer(m_partIndex, layer);
    launchStack(step, params);
}

void Decode::multiply(const DeviceMatrix &matrix, const float *x, float *y, std::int32_t tokens)
{
    launch(m_product,
           {.grid = {static_cast<unsigned>(m_part.info.multiprocessors)},
            .block = {static_cast<unsigned>(decodeThreads)},
            .sharedBytes = m_sharedBytes},
           m_part.stream, DecodeProductParams{.matrix = matrix, .x = x, .y = y, .tokens = tokens});
}

DecodeStep makeStep(const RopeTable &rope, std::span<const TokenId> tokens, std::int32_t firstPosition)
{
    DecodeStep step;
    step.tokens = static_cast<std::int32_t>(tokens.size());
    step.firstPosition = firstPosition;
    std::copy(tokens.begin(), tokens.end(), step.ids);
    for (std::int32_t t = 0; t < step.tokens; ++t)
        rope.angles(firstPosition + t, step.cosines + t * rope.dimensions() / 2,
                    step.sines + t * rope.dimensions() / 2);
    return step;
}

} // namespace bathyscope::cuda
