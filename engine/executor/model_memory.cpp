// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a model takes, read off its bound weights.
#include "engine/executor/gpu_shapes.h"
#include "engine/executor/memory_plan.h"
#include "engine/executor/quantised_layer.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

using Weights = ModelMemory::Weights;

constexpr std::int64_t mebi = std::int64_t(1) << 20U;
/// Context and code of the driver, cuBLASLt's workspace, expanded keys and values of a prefill,
/// fragmentation.
constexpr std::int64_t driverBytes = 896 * mebi;
/// Tokens of a decoding step, and pieces that its attention is split into.
constexpr std::int64_t decodeBatch = 8;
constexpr std::int64_t attentionSplits = 128;

std::int64_t storedBytes(const kernels::MatrixView &m)
{
    const auto row = static_cast<std::int64_t>(kernels::rowBytes(m.dtype, m.columns));
    return m.rows * row
        + (m.scales ? scaleBlocksOf(m.rows) * m.scaleColumns * std::int64_t(sizeof(float)) : 0);
}

/// Adds up what belongs together.
class Sum {
public:
    Sum &projection(const kernels::MatrixView &m)
    {
        if (m.dtype == kernels::DType::F8E4M3 || kernels::isPacked(m.dtype))
            return matrix(m);
        m_sum.stored += storedBytes(m);
        m_sum.quantised += m.rows * m.columns
            + scaleBlocksOf(m.rows) * scaleBlocksOf(m.columns) * std::int64_t(sizeof(float));
        return *this;
    }

    /// A matrix that is never quantised.
    Sum &matrix(const kernels::MatrixView &m) { return bytes(storedBytes(m)); }

    /// A projection that a GPU holds in F32 where it is packed.
    Sum &widened(const kernels::MatrixView &m)
    {
        return kernels::isPacked(m.dtype) ? bytes(m.rows * m.columns * std::int64_t(sizeof(float)))
                                          : projection(m);
    }

    Sum &vector(const std::vector<float> &v) { return bytes(std::int64_t(v.size() * sizeof(float))); }

    Sum &feedForward(const FeedForwardWeights &w)
    {
        return projection(w.gate).projection(w.up).projection(w.down);
    }

    [[nodiscard]] Weights sum() const { return m_sum; }

private:
    Sum &bytes(std::int64_t count)
    {
        m_sum.stored += count;
        m_sum.quantised += count;
        return *this;
    }

    Weights m_sum;
};

void addAttention(Sum &sum, const MlaWeights &w)
{
    if (w.qA)
        sum.projection(*w.qA);
    sum.projection(w.qB).projection(w.kvA).widened(w.kvB).projection(w.o);
    sum.vector(w.qANorm).vector(w.kvANorm);
}

void addAttention(Sum &sum, const GqaWeights &w)
{
    sum.projection(w.q).projection(w.k).projection(w.v).projection(w.o);
    sum.vector(w.qBias).vector(w.kBias).vector(w.vBias).vector(w.qNorm).vector(w.kNorm);
}

ModelMemory::Layer measureLayer(const LayerWeights &w)
{
    Sum fixed;
    fixed.vector(w.inputNorm).vector(w.postAttentionNorm);
    std::visit([&](const auto &attention) { addAttention(fixed, attention); }, w.attention);
    ModelMemory::Layer layer;
    if (w.dense)
        fixed.feedForward(*w.dense);
    if (w.moe) {
        fixed.matrix(w.moe->router).vector(w.moe->correctionBias);
        if (w.moe->shared)
            fixed.feedForward(*w.moe->shared);
        layer.experts = static_cast<std::int32_t>(w.moe->experts.size());
        layer.expert = Sum().feedForward(w.moe->experts.front()).sum();
    }
    layer.fixed = fixed.sum();
    return layer;
}

ModelMemory::Layer measureDraft(const MtpWeights &w, const kernels::MatrixView &modelHead)
{
    ModelMemory::Layer layer = measureLayer(w.layer);
    Sum own;
    own.matrix(w.projection).vector(w.embeddingNorm).vector(w.hiddenNorm).vector(w.finalNorm);
    if (w.head.data != modelHead.data)
        own.matrix(w.head);
    layer.fixed.stored += own.sum().stored;
    layer.fixed.quantised += own.sum().quantised;
    return layer;
}

/// Activations of a chunk, at two bytes where they are the input of a product and four where they are summed.
std::int64_t workspaceOf(const ModelConfig &c)
{
    const std::int64_t hidden = c.hiddenSize;
    const std::int64_t heads = c.numAttentionHeads;
    const std::int64_t head =
        std::visit([](const auto &attention) { return std::int64_t(attention.qkHeadDim()); }, c.attention);
    std::int64_t token = hidden * (4 + 2 + 4) + heads * head * 2 * 4; // residual; queries, keys, values, sums
    std::int64_t widest = c.intermediateSize;
    if (c.moe) {
        const std::int64_t expert = c.moe->moeIntermediateSize;
        token += c.moe->numExpertsPerTok * (hidden * (2 + 4) + expert * (2 + 2 + 2));
        widest = std::max(widest, expert * c.moe->nSharedExperts);
    }
    token += widest * (2 + 2 + 2);
    const std::int64_t logits = decodeBatch * c.vocabSize * 4;
    const std::int64_t partialSums = decodeBatch * attentionSplits * heads * std::int64_t(c.cacheWidth()) * 4;
    const std::int64_t chunk = std::min<std::int64_t>(gpuChunk, c.maxPositionEmbeddings);
    return driverBytes + chunk * token + logits + partialSums;
}

} // namespace

std::int64_t ModelMemory::weightBytes(bool quantised) const
{
    const auto size = [quantised](const Weights &w) { return quantised ? w.quantised : w.stored; };
    std::int64_t sum = size(embedding) + (tiedHead ? 0 : size(head));
    const auto add = [&](const Layer &layer) {
        sum += size(layer.fixed) + layer.experts * size(layer.expert);
    };
    std::for_each(layers.begin(), layers.end(), add);
    if (draft)
        add(*draft);
    return sum;
}

ModelMemory measureMemory(const ModelConfig &config, const ModelWeights &weights)
{
    ModelMemory memory;
    memory.embedding = Sum().matrix(weights.embedding).sum();
    memory.head = Sum().matrix(weights.head).sum();
    memory.tiedHead = weights.head.data == weights.embedding.data;
    for (const LayerWeights &layer : weights.layers)
        memory.layers.push_back(measureLayer(layer));
    if (weights.mtp)
        memory.draft = measureDraft(*weights.mtp, weights.head);
    memory.cacheWidth = config.cacheWidth();
    memory.contextLength = config.maxPositionEmbeddings;
    memory.workspace = workspaceOf(config);
    memory.gpuObstacle = gpuObstacle(config);
    return memory;
}

} // namespace bathyscope
