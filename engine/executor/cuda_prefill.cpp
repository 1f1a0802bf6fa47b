// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_prefill.h"

#include "engine/executor/cuda_prefill_attention.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bathyscope::cuda {

namespace {

using kernels::DType;
using kernels::cuda::DeviceExperts;
using kernels::cuda::Epilogue;
using kernels::cuda::GemmParams;
using kernels::cuda::RoutedExpert;
using kernels::cuda::WeightPointers;

static_assert(sizeof(RoutedExpert) == sizeof(ExpertChoice)
              && offsetof(RoutedExpert, weight) == offsetof(ExpertChoice, weight));

class TensorCorePrefill final : public Prefill {
public:
    TensorCorePrefill(const Model &model, std::size_t part, const PrefillOptions &options,
                      HostExperts *hostExperts)
        : m_config(model.config)
        , m_partIndex(part)
        , m_part(model.parts[part])
        , m_hostExperts(hostExperts)
        , m_products(m_part, options)
        , m_kernels(m_products.kernels())
        , m_maxTokens(prefillChunkTokens(model.config))
        , m_work(model.config, m_maxTokens)
        , m_rows(m_products, m_work, static_cast<float>(model.config.rmsNormEps))
        , m_attention(model, m_products, m_work, m_rows)
    {
        std::vector<float> cosines(static_cast<std::size_t>(m_config.ropeDimensions() / 2));
        std::vector<float> sines(cosines.size());
        model.rope.angles(0, cosines.data(), sines.data());
        m_ropeFactor = cosines.empty() ? 1.0F : cosines[0]; // the cosine of 0 is 1
    }

    std::int32_t maxTokens() const override { return m_maxTokens; }
    std::string withoutLibrary() const override { return m_products.withoutLibrary(); }
    void run(const PrefillChunk &chunk, const Cache &cache) override;

private:
    [[nodiscard]] bool usesFp8(const DeviceMatrix &w) const { return m_products.usesFp8(w); }
    void prepare(const PrefillChunk &chunk) const;
    void denseBlock(const DeviceLayer &layer, const Rows &normed, float *x, std::int32_t rows) const;
    void route(const DeviceLayer &layer, const float *x, std::int32_t rows) const;
    Rows gatherRows(const Rows &normed, std::int32_t expertRows) const;
    void experts(const DeviceLayer &layer, const Rows &normed, float *x, std::int32_t rows) const;
    void feedForward(const DeviceLayer &layer, std::int32_t index, float *x, const Span &span) const;
    void copyRouting(const PrefillChunk &chunk, const Span &span, std::int32_t moeLayer) const;

    const ModelConfig &m_config;
    std::size_t m_partIndex;
    const Part &m_part;
    HostExperts *m_hostExperts;
    PrefillProducts m_products;
    const kernels::cuda::PrefillKernels &m_kernels;
    std::int32_t m_maxTokens;
    PrefillWorkspace m_work;
    RowPreparation m_rows;
    PrefillAttention m_attention;
    float m_ropeFactor = 1;
};

void TensorCorePrefill::prepare(const PrefillChunk &chunk) const
{
    m_kernels.fillAngles({.inverseFrequencies = m_part.inverseFrequencies,
                          .cosines = m_work.cosines.as<float>(),
                          .sines = m_work.sines.as<float>(),
                          .firstPosition = chunk.firstPosition,
                          .half = m_config.ropeDimensions() / 2,
                          .factor = m_ropeFactor},
                         chunk.tokens);
    if (chunk.ids && kernels::isPacked(m_part.embedding.dtype))
        m_kernels.embed({.ids = chunk.ids, .x = chunk.x, .embedding = m_part.embedding}, chunk.tokens);
    else if (chunk.ids)
        m_kernels.embed(m_part.embedding.dtype,
                        {.ids = chunk.ids,
                         .x = chunk.x,
                         .embedding = {m_part.embedding.data, m_part.embedding.scales},
                         .hidden = m_config.hiddenSize,
                         .scaleColumns = m_part.embedding.scaleColumns},
                        chunk.tokens);
}

/// The dense block of a layer, or its shared experts side by side: x += down(silu(gate) * up).
void TensorCorePrefill::denseBlock(const DeviceLayer &layer, const Rows &normed, float *x,
                                   std::int32_t rows) const
{
    const bool fp8 = usesFp8(layer.gate) && usesFp8(layer.down);
    const Rows activations = m_work.activations.view(layer.gate.rows);
    GemmParams p = m_products.describe(layer.gate, normed, {Epilogue::Gated, nullptr, layer.gate.rows});
    p.m = rows;
    p.up = {layer.up.data, layer.up.scales};
    p.cScales = m_work.activations.scales();
    p.cScaleStride = m_work.activations.rows();
    p.a = fp8 ? static_cast<const void *>(normed.e4m3) : normed.bf16;
    p.c = fp8 ? m_work.activations.e4m3() : m_work.activations.bf16();
    if (fp8)
        m_kernels.fp8Gemm(Epilogue::Gated, p, rows);
    else
        m_products.gated(layer.gate, layer.up, p, rows);
    if (!fp8 && usesFp8(layer.down))
        m_rows.quantise(activations.bf16, activations.stride, m_work.activations, layer.gate.rows, rows);
    m_products.multiply(layer.down, activations, {Epilogue::AddF32, x, m_config.hiddenSize}, rows);
}

/// Chooses the experts of the normalised rows and sorts the rows by them.
void TensorCorePrefill::route(const DeviceLayer &layer, const float *x, std::int32_t rows) const
{
    const MoeConfig &moe = *m_config.moe;
    m_kernels.routerLogits(layer.router.dtype,
                           {.x = x,
                            .factors = m_work.factors.as<float>(),
                            .norm = layer.postAttentionNorm,
                            .weights = layer.router.data,
                            .logits = m_work.routerLogits.as<float>(),
                            .tokens = rows,
                            .hidden = m_config.hiddenSize,
                            .experts = moe.nRoutedExperts});
    const bool normalises = moe.normTopkProb && moe.numExpertsPerTok > 1;
    const bool groups = moe.topkMethod != TopkMethod::Greedy && moe.topkGroup < moe.nGroup;
    m_kernels.chooseExperts(
        {.logits = m_work.routerLogits.as<float>(),
         .bias = layer.correctionBias,
         .choices = m_work.choices.as<RoutedExpert>(),
         .tokens = rows,
         .experts = moe.nRoutedExperts,
         .chosen = moe.numExpertsPerTok,
         .groups = groups ? moe.nGroup : 1,
         .keptGroups = groups ? moe.topkGroup : 1,
         .sigmoid = moe.scoring == ScoringFunction::Sigmoid,
         .sumOfTwo = moe.topkMethod == TopkMethod::NoauxTc,
         .normalise = normalises,
         .factor = normalises && !moe.scaleNormalised ? 1.0F : static_cast<float>(moe.routedScalingFactor)});
    m_kernels.sortByExpert({.choices = m_work.choices.as<RoutedExpert>(),
                            .groupRows = m_work.groupRows.as<std::int32_t>(),
                            .groupTiles = m_work.groupTiles.as<std::int32_t>(),
                            .tokenOfRow = m_work.tokenOfRow.as<std::int32_t>(),
                            .rowOfChoice = m_work.rowOfChoice.as<std::int32_t>(),
                            .count = rows * moe.numExpertsPerTok,
                            .chosen = moe.numExpertsPerTok,
                            .experts = moe.nRoutedExperts});
}

/// Quantised rows in the order of the experts: the copy engine takes rows that follow each other.
Rows TensorCorePrefill::gatherRows(const Rows &normed, std::int32_t expertRows) const
{
    const std::int32_t capacity = m_work.expertActivations.rows();
    m_kernels.gatherRows({.from = normed.e4m3,
                          .fromScales = normed.scales,
                          .rows = m_work.tokenOfRow.as<std::int32_t>(),
                          .to = m_work.gathered.as<std::uint8_t>(),
                          .toScales = m_work.gatheredScales.as<float>(),
                          .n = m_config.hiddenSize,
                          .fromScaleStride = normed.scaleStride,
                          .toScaleStride = capacity},
                         expertRows);
    return {nullptr, m_work.gathered.as<std::uint8_t>(), m_work.gatheredScales.as<float>(), normed.stride,
            capacity};
}

/// x += Σ weight * expert(normed), each expert with the rows that chose it.
void TensorCorePrefill::experts(const DeviceLayer &layer, const Rows &normed, float *x,
                                std::int32_t rows) const
{
    const DeviceMatrix &gate = layer.expertGate.first;
    const DeviceMatrix &down = layer.expertDown.first;
    const std::int32_t expertRows = rows * m_config.moe->numExpertsPerTok;
    const bool fp8 = usesFp8(gate) && usesFp8(down);
    const RowBuffer &activations = m_work.expertActivations;
    const auto grouped = [&](const DeviceExperts &which, const Rows &a, const Target &target) {
        GemmParams p = m_products.describe(which.first, a, target);
        p.a = fp8 ? static_cast<const void *>(a.e4m3) : a.bf16;
        p.groupRows = m_work.groupRows.as<std::int32_t>();
        p.groupTiles = m_work.groupTiles.as<std::int32_t>();
        p.groupBytes = which.dataStride;
        p.groupScales = which.scaleStride;
        p.groups = m_config.moe->nRoutedExperts;
        return p;
    };
    const auto run = [&](Epilogue epilogue, const DeviceExperts &which, const DeviceExperts *up,
                         const GemmParams &p) {
        if (fp8)
            m_kernels.fp8Gemm(epilogue, p, expertRows);
        else
            m_products.grouped(epilogue, which, up, p, expertRows);
    };
    GemmParams p = grouped(layer.expertGate, fp8 ? gatherRows(normed, expertRows) : normed,
                           {Epilogue::Gated, fp8 ? activations.e4m3() : activations.bf16(), gate.rows});
    p.up = {layer.expertUp.first.data, layer.expertUp.first.scales};
    if (!fp8)
        p.gather = m_work.tokenOfRow.as<std::int32_t>();
    p.cScales = activations.scales();
    p.cScaleStride = activations.rows();
    run(Epilogue::Gated, layer.expertGate, &layer.expertUp, p);
    run(Epilogue::Bf16, layer.expertDown, nullptr,
        grouped(layer.expertDown, activations.view(gate.rows),
                {Epilogue::Bf16, m_work.expertOut.as(), m_config.hiddenSize}));
    m_kernels.combineExperts({.out = m_work.expertOut.as(),
                              .choices = m_work.choices.as<RoutedExpert>(),
                              .rowOfChoice = m_work.rowOfChoice.as<std::int32_t>(),
                              .x = x,
                              .hidden = m_config.hiddenSize,
                              .chosen = m_config.moe->numExpertsPerTok},
                             rows);
}

void TensorCorePrefill::feedForward(const DeviceLayer &layer, std::int32_t index, float *x,
                                    const Span &span) const
{
    x += std::int64_t(span.first) * m_config.hiddenSize;
    const Rows normed = m_rows.normalise(
        x, layer.postAttentionNorm, m_work.normed, m_config.hiddenSize, span.needed(),
        {&layer.gate, &layer.up, &layer.down, &layer.expertGate.first, &layer.expertDown.first});
    if (layer.router.rows > 0)
        route(layer, x, span.needed()); // before x changes
    const auto forAllTokens = [&] {
        if (layer.gate.rows > 0)
            denseBlock(layer, normed, x, span.needed());
    };
    if (layer.expertsOnHost())
        return m_hostExperts->run({.part = m_partIndex,
                                   .layer = m_part.firstLayer + index,
                                   .tokens = span.needed(),
                                   .x = x,
                                   .choices = m_work.choices.as()},
                                  forAllTokens);
    forAllTokens();
    if (layer.router.rows > 0)
        experts(layer, normed, x, span.needed());
}

void TensorCorePrefill::copyRouting(const PrefillChunk &chunk, const Span &span, std::int32_t moeLayer) const
{
    if (!chunk.routing || moeLayer < 0)
        return;
    const std::int64_t k = m_config.moe->numExpertsPerTok;
    const std::int64_t rows = chunk.tokens - chunk.firstNeeded;
    kernels::cuda::copyOnDevice(chunk.routing + moeLayer * rows * k,
                                m_work.choices.as<RoutedExpert>() + (chunk.firstNeeded - span.first) * k,
                                static_cast<std::size_t>(rows * k) * sizeof(RoutedExpert), m_part.stream);
}

void TensorCorePrefill::run(const PrefillChunk &chunk, const Cache &cache)
{
    m_attention.reserve(chunk.firstPosition + chunk.tokens);
    prepare(chunk);
    std::int32_t moeLayer = 0;
    const auto layers = static_cast<std::int32_t>(m_part.layers.size());
    for (std::int32_t i = 0; i < layers; ++i) {
        const DeviceLayer &layer = m_part.layers[static_cast<std::size_t>(i)];
        const Span span{chunk.tokens, chunk.firstPosition, i + 1 == layers ? chunk.firstNeeded : 0};
        m_attention.run(layer, cache.layer(m_partIndex, i), chunk.x, span);
        feedForward(layer, i, chunk.x, span);
        copyRouting(chunk, span, layer.router.rows > 0 ? moeLayer++ : -1);
    }
}

} // namespace

std::unique_ptr<Prefill> createPrefill(const Model &model, std::size_t part, const PrefillOptions &options,
                                       HostExperts *hostExperts)
{
    return std::make_unique<TensorCorePrefill>(model, part, options, hostExperts);
}

} // namespace bathyscope::cuda
