// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_decode.h"

#include <algorithm>
#include <functional>

namespace bathyscope::cuda {

using namespace kernels::cuda;

namespace {

RoutingShape routingOf(const ModelConfig &c)
{
    RoutingShape s;
    if (!c.moe)
        return s;
    const MoeConfig &moe = *c.moe;
    s.experts = moe.nRoutedExperts;
    s.chosen = moe.numExpertsPerTok;
    const bool grouped = moe.topkMethod != TopkMethod::Greedy && moe.topkGroup < moe.nGroup;
    s.groups = grouped ? moe.nGroup : 1;
    s.keptGroups = grouped ? moe.topkGroup : 1;
    s.sigmoid = moe.scoring == ScoringFunction::Sigmoid;
    s.sumOfTwo = moe.topkMethod == TopkMethod::NoauxTc;
    s.normalise = moe.normTopkProb && moe.numExpertsPerTok > 1;
    s.factor = s.normalise && !moe.scaleNormalised ? 1.0F : static_cast<float>(moe.routedScalingFactor);
    return s;
}

std::int32_t activationStrideOf(const ModelConfig &c)
{
    if (!c.moe)
        return c.intermediateSize;
    return std::max(c.intermediateSize,
                    (c.moe->numExpertsPerTok + c.moe->nSharedExperts) * c.moe->moeIntermediateSize);
}

/// A matrix, as much of it as leaves the L2 cache room for the rest.
Prefetch prefetchOf(const DeviceMatrix &m)
{
    constexpr std::int64_t most = 8 << 20;
    return {m.data,
            std::min(most, m.rows * static_cast<std::int64_t>(kernels::rowBytes(m.dtype, m.columns)))};
}

/// Whether one kernel reads both.
bool readAlike(const DeviceMatrix &a, const DeviceMatrix &b)
{
    return a.dtype == b.dtype || (kernels::isPacked(a.dtype) && kernels::isPacked(b.dtype));
}

} // namespace

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

Decode::Decode(const Model &model, std::size_t part, DecodeChoice *trace, HostExperts *hostExperts)
    : m_model(model)
    , m_part(model.parts[part])
    , m_partIndex(part)
    , m_routing(routingOf(model.config))
    , m_kernels(m_part.info, m_part.stream)
    , m_chooseKernels(m_part.info, m_part.stream)
    , m_trace(trace)
    , m_hostExperts(hostExperts)
    , m_layers(m_part.layers)
    , m_activationStride(activationStrideOf(model.config))
{
    if (m_part.draft)
        m_layers.push_back(m_part.draft->layer);
    const ModelConfig &c = model.config;
    constexpr std::int64_t tokens = decodeMaxTokens;
    Pieces pieces;
    pieces.add(m_buffers.x, tokens * c.hiddenSize);
    std::visit([&](const auto &attention) { planAttention(pieces, attention); }, c.attention);
    pieces.add(m_buffers.routerLogits, tokens * m_routing.experts);
    pieces.add(m_buffers.activations, tokens * m_activationStride);
    pieces.add(m_buffers.choices, tokens * static_cast<std::int64_t>(m_layers.size()) * m_routing.chosen);
    if (m_part.head.rows > 0) {
        pieces.add(m_buffers.logits, tokens * c.vocabSize);
        pieces.add(m_buffers.sliceMaxima, chooseSlices);
        pieces.add(m_buffers.sliceSums, chooseSlices);
        pieces.add(m_buffers.sliceTempered, chooseSlices);
        m_choice = PinnedBuffer(sizeof(ChooseResult));
    }
    pieces.add(m_buffers.step, 1);
    pieces.add(m_buffers.routing, 1);
    pieces.add(m_buffers.arrivals, 1);
    m_memory = pieces.allocate();
}

void Decode::planAttention(Pieces &pieces, const MlaConfig &mla)
{
    constexpr std::int64_t tokens = decodeMaxTokens;
    const std::int64_t heads = m_model.config.numAttentionHeads;
    const std::int64_t groups = (heads + decodeHeadGroup - 1) / decodeHeadGroup;
    const std::int64_t parts = std::max<std::int64_t>(m_part.info.multiprocessors, tokens * groups);
    pieces.add(m_buffers.queryLatent, tokens * mla.qLoraRank);
    pieces.add(m_buffers.query, tokens * heads * mla.qkHeadDim());
    pieces.add(m_buffers.kv, tokens * mla.cacheWidth());
    pieces.add(m_buffers.absorbed, tokens * heads * mla.cacheWidth());
    pieces.add(m_buffers.partial, parts * decodeHeadGroup * mla.kvLoraRank);
    pieces.add(m_buffers.partialSums, parts * decodeHeadGroup * 2);
    pieces.add(m_buffers.attended, tokens * heads * mla.vHeadDim);
}

void Decode::planAttention(Pieces &pieces, const GqaConfig &gqa)
{
    constexpr std::int64_t tokens = decodeMaxTokens;
    const std::int64_t heads = m_model.config.numAttentionHeads;
    const std::int64_t groups = headGroups(m_model.config.numAttentionHeads, gqa.numKeyValueHeads);
    const std::int64_t parts = std::max<std::int64_t>(m_part.info.multiprocessors, tokens * groups);
    pieces.add(m_buffers.query, tokens * heads * gqa.headDim);
    pieces.add(m_buffers.kv, tokens * gqa.cacheWidth());
    pieces.add(m_buffers.partial, parts * groupedHeads * gqa.headDim);
    pieces.add(m_buffers.partialSums, parts * groupedHeads * 2);
    pieces.add(m_buffers.attentionArrivals, tokens * groups);
    pieces.add(m_buffers.attended, tokens * heads * gqa.headDim);
}

/// A graph for all of it, or one up to each layer whose experts are the host's.
void Decode::run(const DecodeStep &step, const DecodeRange &range, const Cache &cache)
{
    begin(step, range, cache);
    DecodeRange rest = range;
    for (std::int32_t i = 0; i < range.layers; ++i) {
        const std::int32_t layer = range.firstLayer + i;
        const DeviceLayer &weights = m_layers[static_cast<std::size_t>(layer)];
        if (!weights.expertsOnHost())
            continue;
        DecodeRange piece{.firstLayer = rest.firstLayer,
                          .layers = layer + 1 - rest.firstLayer,
                          .firstMoeLayer = rest.firstMoeLayer};
        launch({step.tokens, piece});
        for (; rest.firstLayer <= layer; ++rest.firstLayer, --rest.layers)
            rest.firstMoeLayer += m_layers[static_cast<std::size_t>(rest.firstLayer)].router.rows > 0;
        runHostExperts(layer, rest.firstMoeLayer - 1, step.tokens);
    }
    if (rest.layers > 0 || rest.logits)
        launch({step.tokens, rest});
}

void Decode::runHostExperts(std::int32_t layer, std::int32_t moeLayer, std::int32_t tokens)
{
    m_hostExperts->run({.part = m_partIndex,
                        .layer = m_part.firstLayer + layer,
                        .tokens = tokens,
                        .x = m_buffers.x,
                        .choices = m_buffers.choices + std::int64_t(moeLayer) * tokens * m_routing.chosen},
                       [&] {
                           if (m_layers[static_cast<std::size_t>(layer)].gate.rows > 0)
                               launch({tokens, {.firstLayer = layer, .shared = true}});
                       });
}

void Decode::runDraft(const DecodeStep &step, const Cache &cache)
{
    const auto layer = static_cast<std::int32_t>(m_part.layers.size());
    run(step, {.firstLayer = layer, .layers = 1, .logits = true, .draft = true}, cache);
}

/// Hands the step to the kernels, and looks its tokens up.
void Decode::begin(DecodeStep step, const DecodeRange &range, const Cache &cache)
{
    step.cache = cache.layer(m_partIndex, 0);
    step.cacheLayerStride = std::int64_t(cache.capacity()) * m_model.config.cacheWidth();
    BeginParams params{.step = m_buffers.step, .embedding = {}, .x = m_buffers.x};
    if (range.embed)
        params.embedding = m_part.embedding;
    m_kernels.begin(params, step);
}

void Decode::launch(const GraphKey &key)
{
    auto found = m_graphs.find(key);
    if (found == m_graphs.end())
        found = m_graphs.emplace(key, m_part.stream.capture([&] { runRange(key); })).first;
    found->second.launch(m_part.stream.get());
}

void Decode::runRange(const GraphKey &key) const
{
    if (key.range.shared)
        computeFeedForward(m_layers[static_cast<std::size_t>(key.range.firstLayer)], key.tokens, 0);
    std::int32_t moeLayer = key.range.firstMoeLayer;
    for (std::int32_t i = 0; i < key.range.layers; ++i) {
        const std::int32_t layer = key.range.firstLayer + i;
        runLayer(layer, moeLayer, key.tokens);
        moeLayer += m_layers[static_cast<std::size_t>(layer)].router.rows > 0;
    }
    if (key.range.logits)
        computeLogits(key);
    if (key.range.choose)
        choose(key);
}

void Decode::runLayer(std::int32_t index, std::int32_t moeLayer, std::int32_t tokens) const
{
    const DeviceLayer &w = m_layers[static_cast<std::size_t>(index)];
    if (w.grouped.q.rows > 0)
        groupedAttention(w, index, tokens);
    else
        latentAttention(w, index, tokens);
    m_kernels.project({.first = w.o,
                       .second = {},
                       .firstOut = m_buffers.x,
                       .x = m_buffers.attended,
                       .tokens = tokens,
                       .add = true});
    feedForward(w, moeLayer, tokens);
}

/// Products of one normalised input; those that can be are one kernel.
void Decode::project(std::initializer_list<Product> products, const float *x, const float *norm,
                     std::int32_t tokens) const
{
    for (const Product *product = products.begin(); product != products.end();) {
        ProjectParams params{.first = product->matrix,
                             .second = {},
                             .x = x,
                             .norm = norm,
                             .epsilon = static_cast<float>(m_model.config.rmsNormEps),
                             .tokens = tokens};
        DeviceMatrix *const matrices[] = {&params.first, &params.second, &params.third};
        float **const targets[] = {&params.firstOut, &params.secondOut, &params.thirdOut};
        for (std::size_t i = 0;
             i < std::size(matrices) && product != products.end() && readAlike(product->matrix, params.first);
             ++i, ++product) {
            *matrices[i] = product->matrix;
            *targets[i] = product->to;
        }
        m_kernels.project(params);
    }
}

void Decode::latentAttention(const DeviceLayer &w, std::int32_t index, std::int32_t tokens) const
{
    const bool direct = w.qA.rows == 0;
    project({{direct ? w.qB : w.qA, direct ? m_buffers.query : m_buffers.queryLatent}, {w.kvA, m_buffers.kv}},
            m_buffers.x, w.inputNorm, tokens);
    if (!direct)
        project({{w.qB, m_buffers.query}}, m_buffers.queryLatent, w.qANorm, tokens);
    attend(w, index, tokens);
}

void Decode::groupedAttention(const DeviceLayer &w, std::int32_t index, std::int32_t tokens) const
{
    const ModelConfig &c = m_model.config;
    const DeviceGroupedAttention &g = w.grouped;
    float *values = m_buffers.kv + std::int64_t(tokens) * g.k.rows;
    project({{g.q, m_buffers.query}, {g.k, m_buffers.kv}, {g.v, values}}, m_buffers.x, w.inputNorm, tokens);
    m_kernels.attendGrouped(
        {.step = m_buffers.step,
         .heads = headsOf(c, g),
         .query = m_buffers.query,
         .key = m_buffers.kv,
         .value = values,
         .partial = m_buffers.partial,
         .partialSums = m_buffers.partialSums,
         .arrivals = m_buffers.attentionArrivals,
         .attended = m_buffers.attended,
         .layer = index,
         .tokens = tokens,
         .splits = m_kernels.groupedSplits(tokens, headGroups(c.numAttentionHeads, c.gqa().numKeyValueHeads)),
         .softmaxScale = m_model.softmaxScale,
         .next = prefetchOf(w.o)});
}

void Decode::attend(const DeviceLayer &w, std::int32_t index, std::int32_t tokens) const
{
    const ModelConfig &c = m_model.config;
    AttentionParams params{.step = m_buffers.step,
                           .kvB = w.kvB,
                           .kvNorm = w.kvANorm,
                           .query = m_buffers.query,
                           .kv = m_buffers.kv,
                           .absorbed = m_buffers.absorbed,
                           .partial = m_buffers.partial,
                           .partialSums = m_buffers.partialSums,
                           .attended = m_buffers.attended,
                           .heads = c.numAttentionHeads,
                           .nope = c.mla().qkNopeHeadDim,
                           .rope = c.mla().qkRopeHeadDim,
                           .value = c.mla().vHeadDim,
                           .latent = c.mla().kvLoraRank,
                           .layer = index,
                           .tokens = tokens,
                           .splits = m_kernels.splits(tokens, c.numAttentionHeads),
                           .epsilon = static_cast<float>(c.rmsNormEps),
                           .softmaxScale = m_model.softmaxScale,
                           .ropeHalves = c.rope.pairs == kernels::RopePairs::Halves,
                           .next = {}};
    m_kernels.absorb(params);
    params.next = prefetchOf(w.o);
    m_kernels.attend(params);
    params.next = prefetchOf(w.router);
    m_kernels.expand(params);
}

void Decode::feedForward(const DeviceLayer &w, std::int32_t moeLayer, std::int32_t tokens) const
{
    if (w.router.rows > 0)
        m_kernels.route({.logits = {.first = w.router,
                                    .second = {},
                                    .firstOut = m_buffers.routerLogits,
                                    .x = m_buffers.x,
                                    .norm = w.postAttentionNorm,
                                    .epsilon = static_cast<float>(m_model.config.rmsNormEps),
                                    .tokens = tokens},
                         .shape = m_routing,
                         .correctionBias = w.correctionBias,
                         .arrivals = m_buffers.arrivals,
                         .table = m_buffers.routing,
                         .choices = m_buffers.choices + std::int64_t(moeLayer) * tokens * m_routing.chosen});
    if (!w.expertsOnHost())
        computeFeedForward(w, tokens, w.router.rows > 0 ? m_routing.chosen : 0);
}

/// `chosen`: routed experts of a token; 0: only what all tokens go through.
void Decode::computeFeedForward(const DeviceLayer &w, std::int32_t tokens, std::int32_t chosen) const
{
    const FeedForwardParams params{.routing = m_buffers.routing,
                                   .chosen = chosen,
                                   .expertGate = w.expertGate,
                                   .expertUp = w.expertUp,
                                   .expertDown = w.expertDown,
                                   .gate = w.gate,
                                   .up = w.up,
                                   .down = w.down,
                                   .norm = w.postAttentionNorm,
                                   .epsilon = static_cast<float>(m_model.config.rmsNormEps),
                                   .x = m_buffers.x,
                                   .activations = m_buffers.activations,
                                   .activationStride = m_activationStride,
                                   .hidden = m_model.config.hiddenSize,
                                   .tokens = tokens};
    m_kernels.activate(params);
    m_kernels.join(params);
}

void Decode::computeLogits(const GraphKey &key) const
{
    const bool draft = key.range.draft;
    m_kernels.project({.first = draft ? m_part.draft->head : m_part.head,
                       .second = {},
                       .firstOut = m_buffers.logits,
                       .x = m_buffers.x + std::int64_t(key.range.logitsFrom) * m_model.config.hiddenSize,
                       .norm = draft ? m_part.draft->finalNorm : m_part.finalNorm,
                       .epsilon = static_cast<float>(m_model.config.rmsNormEps),
                       .tokens = key.tokens - key.range.logitsFrom});
}

void Decode::choose(const GraphKey &key) const
{
    static_assert(sizeof(DecodeChoice) == sizeof(std::uint64_t));
    const auto moeLayers = static_cast<std::int32_t>(m_part.moeLayers());
    m_chooseKernels.choose({.settings = &m_buffers.step->choose,
                            .logits = m_buffers.logits,
                            .maxima = m_buffers.sliceMaxima,
                            .sums = m_buffers.sliceSums,
                            .tempered = m_buffers.sliceTempered,
                            .result = m_choice.as<ChooseResult>(),
                            .trace = reinterpret_cast<const std::uint64_t *>(m_buffers.choices),
                            .traceOut = reinterpret_cast<std::uint64_t *>(
                                m_trace + std::int64_t(m_part.firstMoeLayer) * key.tokens * m_routing.chosen),
                            .traceWords = key.range.trace ? moeLayers * key.tokens * m_routing.chosen : 0,
                            .vocabulary = m_model.config.vocabSize});
}

void Decode::multiply(const DeviceMatrix &matrix, const float *x, float *y, std::int32_t tokens) const
{
    m_kernels.project({.first = matrix, .second = {}, .firstOut = y, .x = x, .tokens = tokens});
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
