// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_prefill.h"

#include "engine/executor/cuda_prefill_workspace.h"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/prefill_kernels.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
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

/// What of a chunk one layer has to make.
struct Span {
    std::int32_t tokens = 0;
    std::int32_t firstPosition = 0;
    std::int32_t first = 0; ///< token from which on outputs are needed

    [[nodiscard]] std::int32_t needed() const { return tokens - first; }
    [[nodiscard]] std::int32_t context() const { return firstPosition + tokens; }
};

/// Where a product puts its sums.
struct Target {
    Epilogue epilogue = Epilogue::Bf16;
    void *c = nullptr;
    std::int64_t stride = 0; ///< elements
};

class TensorCorePrefill final : public Prefill {
public:
    TensorCorePrefill(const Model &model, std::size_t part, const PrefillOptions &options)
        : m_config(model.config)
        , m_model(model)
        , m_partIndex(part)
        , m_part(model.parts[part])
        , m_kernels(m_part.info, m_part.stream)
        , m_library(kernels::cuda::CublasLt::load(&m_withoutLibrary))
        , m_quantise(options.quantiseActivations && m_kernels.hasFp8Gemm())
        , m_maxTokens(prefillChunkTokens(model.config))
        , m_work(model.config, m_maxTokens)
        , m_context(model.config)
    {
        checkPrefillSizes(m_config);
        std::vector<float> cosines(static_cast<std::size_t>(mla().qkRopeHeadDim / 2));
        std::vector<float> sines(cosines.size());
        model.rope.angles(0, cosines.data(), sines.data());
        m_ropeFactor = cosines.empty() ? 1.0F : cosines[0]; // the cosine of 0 is 1
    }

    std::int32_t maxTokens() const override { return m_maxTokens; }
    std::string withoutLibrary() const override { return m_withoutLibrary; }
    void run(const PrefillChunk &chunk, const Cache &cache) override;

private:
    [[nodiscard]] const MlaConfig &mla() const { return m_config.mla(); }
    [[nodiscard]] bool usesFp8(const DeviceMatrix &w) const
    {
        return m_quantise && w.dtype == DType::F8E4M3 && w.columns % 16 == 0;
    }
    [[nodiscard]] GemmParams product(const DeviceMatrix &w, const Rows &a, const Target &target) const;
    void multiply(const DeviceMatrix &w, const Rows &a, const Target &target, std::int32_t rows,
                  std::int32_t firstRow = 0, std::int32_t rowCount = -1) const;
    bool multiplyByLibrary(const DeviceMatrix &w, const Rows &a, const Target &target,
                           const GemmParams &p) const;
    Rows normalise(const float *x, const float *weight, const RowBuffer &out, std::int64_t columns,
                   std::int32_t rows, std::initializer_list<const DeviceMatrix *> readers) const;
    Rows quantise(const void *bf16, std::int64_t stride, const RowBuffer &out, std::int64_t columns,
                  std::int32_t rows) const;

    void prepare(const PrefillChunk &chunk) const;
    void appendToCache(const DeviceLayer &layer, std::uint16_t *cache, const Rows &normed,
                       const Span &span) const;
    void projectQueries(const DeviceLayer &layer, const Rows &normed, const Span &span) const;
    void attend(const DeviceLayer &layer, const std::uint16_t *stored, const Span &span) const;
    void attention(const DeviceLayer &layer, std::uint16_t *cache, float *x, const Span &span) const;
    void denseBlock(const DeviceLayer &layer, const Rows &normed, float *x, std::int32_t rows) const;
    void route(const DeviceLayer &layer, const float *x, std::int32_t rows) const;
    Rows gatherRows(const Rows &normed, std::int32_t expertRows) const;
    void experts(const DeviceLayer &layer, const Rows &normed, float *x, std::int32_t rows) const;
    void feedForward(const DeviceLayer &layer, float *x, const Span &span) const;
    void copyTraces(const PrefillChunk &chunk, const Span &span, std::int32_t layer,
                    std::int32_t moeLayer) const;

    const ModelConfig &m_config;
    const Model &m_model;
    std::size_t m_partIndex;
    const Part &m_part;
    kernels::cuda::PrefillKernels m_kernels;
    std::string m_withoutLibrary; ///< why, where there is none
    std::unique_ptr<kernels::cuda::CublasLt> m_library; ///< none: own kernels do its work
    bool m_quantise;
    std::int32_t m_maxTokens;
    PrefillWorkspace m_work;
    ExpandedContext m_context;
    float m_ropeFactor = 1;
};

GemmParams TensorCorePrefill::product(const DeviceMatrix &w, const Rows &a, const Target &target) const
{
    GemmParams p;
    const bool fp8 = usesFp8(w);
    p.a = fp8 ? static_cast<const void *>(a.e4m3) : a.bf16;
    p.aScales = a.scales;
    p.aStride = a.stride;
    p.aScaleStride = a.scaleStride;
    p.c = target.c;
    p.cStride = target.stride;
    p.weights = {w.data, w.scales};
    p.n = w.rows;
    p.k = w.columns;
    p.scaleColumns = w.scaleColumns;
    return p;
}

/// c = a · Wᵀ with rows [firstRow, firstRow + rowCount) of W, all by default.
void TensorCorePrefill::multiply(const DeviceMatrix &w, const Rows &a, const Target &target,
                                 std::int32_t rows, std::int32_t firstRow, std::int32_t rowCount) const
{
    GemmParams p = product(w, a, target);
    p.m = rows;
    p.n = rowCount < 0 ? w.rows : rowCount;
    p.firstRow = firstRow;
    p.weights.data = static_cast<const std::byte *>(w.data)
        + static_cast<std::size_t>(firstRow) * kernels::rowBytes(w.dtype, w.columns);
    if (usesFp8(w) && firstRow % kernels::scaleBlock == 0) {
        m_kernels.fp8Gemm(target.epilogue, p, rows);
    } else if (!multiplyByLibrary(w, a, target, p)) {
        p.a = a.bf16;
        m_kernels.gemm(w.dtype, target.epilogue, p, rows);
    }
}

/// Products in bf16 by cuBLASLt. False where it is not there, or cannot.
bool TensorCorePrefill::multiplyByLibrary(const DeviceMatrix &w, const Rows &a, const Target &target,
                                          const GemmParams &p) const
{
    if (!m_library || w.dtype != DType::BF16 || p.k % 8 != 0 || p.n % 8 != 0)
        return false;
    return m_library->multiply({.a = a.bf16,
                                .weights = p.weights.data,
                                .c = target.c,
                                .aStride = a.stride,
                                .cStride = target.stride,
                                .m = p.m,
                                .n = p.n,
                                .k = p.k,
                                .f32 = target.epilogue != Epilogue::Bf16,
                                .accumulate = target.epilogue == Epilogue::AddF32},
                               m_part.stream);
}

/// Normalised rows in the forms that the products with `readers` want.
Rows TensorCorePrefill::normalise(const float *x, const float *weight, const RowBuffer &out,
                                  std::int64_t columns, std::int32_t rows,
                                  std::initializer_list<const DeviceMatrix *> readers) const
{
    bool fp8 = false;
    bool bf16 = false;
    for (const DeviceMatrix *matrix : readers)
        if (matrix->rows > 0)
            (usesFp8(*matrix) ? fp8 : bf16) = true;
    m_kernels.normRows({.x = x,
                        .weight = weight,
                        .bf16 = bf16 ? out.bf16() : nullptr,
                        .e4m3 = fp8 ? out.e4m3() : nullptr,
                        .scales = out.scales(),
                        .factors = m_work.factors.as<float>(),
                        .n = static_cast<std::int32_t>(columns),
                        .scaleStride = out.rows(),
                        .epsilon = static_cast<float>(m_config.rmsNormEps)},
                       rows);
    return out.view(columns);
}

Rows TensorCorePrefill::quantise(const void *bf16, std::int64_t stride, const RowBuffer &out,
                                 std::int64_t columns, std::int32_t rows) const
{
    m_kernels.quantiseRows({.bf16 = bf16,
                            .e4m3 = out.e4m3(),
                            .scales = out.scales(),
                            .stride = stride,
                            .n = static_cast<std::int32_t>(columns),
                            .scaleStride = out.rows()},
                           rows);
    return out.view(columns);
}

void TensorCorePrefill::prepare(const PrefillChunk &chunk) const
{
    m_kernels.fillAngles({.inverseFrequencies = m_part.inverseFrequencies,
                          .cosines = m_work.cosines.as<float>(),
                          .sines = m_work.sines.as<float>(),
                          .firstPosition = chunk.firstPosition,
                          .half = mla().qkRopeHeadDim / 2,
                          .factor = m_ropeFactor},
                         chunk.tokens);
    if (chunk.ids)
        m_kernels.embed(m_part.embedding.dtype,
                        {.ids = chunk.ids,
                         .x = chunk.x,
                         .embedding = {m_part.embedding.data, m_part.embedding.scales},
                         .hidden = m_config.hiddenSize,
                         .scaleColumns = m_part.embedding.scaleColumns},
                        chunk.tokens);
}

void TensorCorePrefill::appendToCache(const DeviceLayer &layer, std::uint16_t *cache, const Rows &normed,
                                      const Span &span) const
{
    const std::int32_t width = mla().cacheWidth();
    multiply(layer.kvA, normed, {Epilogue::F32, m_work.kv.as(), width}, span.tokens);
    m_kernels.appendCache({.kv = m_work.kv.as<float>(),
                           .weight = layer.kvANorm,
                           .cosines = m_work.cosines.as<float>(),
                           .sines = m_work.sines.as<float>(),
                           .cache = cache + std::int64_t(span.firstPosition) * width,
                           .latent = mla().kvLoraRank,
                           .rope = mla().qkRopeHeadDim,
                           .epsilon = static_cast<float>(m_config.rmsNormEps),
                           .halves = m_config.rope.pairs == kernels::RopePairs::Halves},
                          span.tokens);
}

void TensorCorePrefill::projectQueries(const DeviceLayer &layer, const Rows &normed, const Span &span) const
{
    Rows input = normed.from(span.first);
    if (layer.qA.rows > 0) {
        multiply(layer.qA, input, {Epilogue::F32, m_work.queryLatent.as(), layer.qA.rows}, span.needed());
        input = normalise(m_work.queryLatent.as<float>(), layer.qANorm, m_work.queryNormed, layer.qA.rows,
                          span.needed(), {&layer.qB});
    }
    multiply(layer.qB, input, {Epilogue::Bf16, m_work.query.as(), layer.qB.rows}, span.needed());
}

/// Attention of the needed tokens over the whole context, as many heads at a time as their keys and values
/// fit in memory.
void TensorCorePrefill::attend(const DeviceLayer &layer, const std::uint16_t *stored, const Span &span) const
{
    const MlaConfig &m = mla();
    const std::uint16_t *cache = m_context.cache();
    m_kernels.widenCache({.cache = stored,
                          .bf16 = m_context.cache(),
                          .values = std::int64_t(span.context()) * m.cacheWidth()});
    const std::int32_t perHead = m.qkNopeHeadDim + m.vHeadDim;
    const std::int64_t half = m.qkRopeHeadDim / 2;
    Rows latents{.bf16 = cache, .stride = m.cacheWidth()};
    if (usesFp8(layer.kvB)) {
        m_kernels.quantiseRows({.bf16 = cache,
                                .e4m3 = m_context.latents(),
                                .scales = m_context.scales(),
                                .stride = m.cacheWidth(),
                                .n = m.kvLoraRank,
                                .scaleStride = m_context.capacity()},
                               span.context());
        latents = {cache, m_context.latents(), m_context.scales(), m.kvLoraRank, m_context.capacity()};
    }
    for (std::int32_t head = 0; head < m_config.numAttentionHeads; head += m_context.headsAtOnce()) {
        const std::int32_t heads = std::min(m_context.headsAtOnce(), m_config.numAttentionHeads - head);
        multiply(layer.kvB, latents, {Epilogue::Bf16, m_context.expanded(), heads * perHead}, span.context(),
                 head * perHead, heads * perHead);
        m_kernels.attention({.queries = m_work.query.as<std::uint16_t>() + head * m.qkHeadDim(),
                             .expanded = m_context.expanded(),
                             .rotated = cache + m.kvLoraRank,
                             .cosines = m_work.cosines.as<float>() + span.first * half,
                             .sines = m_work.sines.as<float>() + span.first * half,
                             .out = static_cast<std::uint16_t *>(m_work.attended.bf16()) + head * m.vHeadDim,
                             .queryStride = layer.qB.rows,
                             .rotatedStride = m.cacheWidth(),
                             .outStride = layer.o.columns,
                             .heads = heads,
                             .tokens = span.needed(),
                             .firstPosition = span.firstPosition + span.first,
                             .nope = m.qkNopeHeadDim,
                             .rope = m.qkRopeHeadDim,
                             .value = m.vHeadDim,
                             .scale = m_model.softmaxScale,
                             .halves = m_config.rope.pairs == kernels::RopePairs::Halves});
    }
}

void TensorCorePrefill::attention(const DeviceLayer &layer, std::uint16_t *cache, float *x,
                                  const Span &span) const
{
    const Rows normed = normalise(x, layer.inputNorm, m_work.normed, m_config.hiddenSize, span.tokens,
                                  {&layer.kvA, layer.qA.rows > 0 ? &layer.qA : &layer.qB});
    appendToCache(layer, cache, normed, span);
    projectQueries(layer, normed, span);
    attend(layer, cache, span);
    Rows attended = m_work.attended.view(layer.o.columns);
    if (usesFp8(layer.o))
        attended = quantise(attended.bf16, attended.stride, m_work.attended, layer.o.columns, span.needed());
    multiply(layer.o, attended,
             {Epilogue::AddF32, x + std::int64_t(span.first) * m_config.hiddenSize, m_config.hiddenSize},
             span.needed());
}

/// The dense block of a layer, or its shared experts side by side: x += down(silu(gate) * up).
void TensorCorePrefill::denseBlock(const DeviceLayer &layer, const Rows &normed, float *x,
                                   std::int32_t rows) const
{
    const bool fp8 = usesFp8(layer.gate) && usesFp8(layer.down);
    const Rows activations = m_work.activations.view(layer.gate.rows);
    GemmParams p = product(layer.gate, normed, {Epilogue::Gated, nullptr, layer.gate.rows});
    p.m = rows;
    p.up = {layer.up.data, layer.up.scales};
    p.cScales = m_work.activations.scales();
    p.cScaleStride = m_work.activations.rows();
    p.a = fp8 ? static_cast<const void *>(normed.e4m3) : normed.bf16;
    p.c = fp8 ? m_work.activations.e4m3() : m_work.activations.bf16();
    if (fp8)
        m_kernels.fp8Gemm(Epilogue::Gated, p, rows);
    else
        m_kernels.gemm(layer.gate.dtype, Epilogue::Gated, p, rows);
    if (!fp8 && usesFp8(layer.down))
        quantise(activations.bf16, activations.stride, m_work.activations, layer.gate.rows, rows);
    multiply(layer.down, activations, {Epilogue::AddF32, x, m_config.hiddenSize}, rows);
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
        GemmParams p = product(which.first, a, target);
        p.a = fp8 ? static_cast<const void *>(a.e4m3) : a.bf16;
        p.groupRows = m_work.groupRows.as<std::int32_t>();
        p.groupTiles = m_work.groupTiles.as<std::int32_t>();
        p.groupBytes = which.dataStride;
        p.groupScales = which.scaleStride;
        p.groups = m_config.moe->nRoutedExperts;
        return p;
    };
    const auto run = [&](DType dtype, Epilogue epilogue, const GemmParams &p) {
        if (fp8)
            m_kernels.fp8Gemm(epilogue, p, expertRows);
        else
            m_kernels.gemm(dtype, epilogue, p, expertRows);
    };
    GemmParams p = grouped(layer.expertGate, fp8 ? gatherRows(normed, expertRows) : normed,
                           {Epilogue::Gated, fp8 ? activations.e4m3() : activations.bf16(), gate.rows});
    p.up = {layer.expertUp.first.data, layer.expertUp.first.scales};
    if (!fp8)
        p.gather = m_work.tokenOfRow.as<std::int32_t>();
    p.cScales = activations.scales();
    p.cScaleStride = activations.rows();
    run(gate.dtype, Epilogue::Gated, p);
    run(down.dtype, Epilogue::Bf16,
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

void TensorCorePrefill::feedForward(const DeviceLayer &layer, float *x, const Span &span) const
{
    x += std::int64_t(span.first) * m_config.hiddenSize;
    const Rows normed =
        normalise(x, layer.postAttentionNorm, m_work.normed, m_config.hiddenSize, span.needed(),
                  {&layer.gate, &layer.up, &layer.down, &layer.expertGate.first, &layer.expertDown.first});
    if (layer.router.rows > 0)
        route(layer, x, span.needed()); // before x changes
    if (layer.gate.rows > 0)
        denseBlock(layer, normed, x, span.needed());
    if (layer.router.rows > 0)
        experts(layer, normed, x, span.needed());
}

void TensorCorePrefill::copyTraces(const PrefillChunk &chunk, const Span &span, std::int32_t layer,
                                   std::int32_t moeLayer) const
{
    const auto copy = [&](const void *to, const void *from, std::int64_t bytes) {
        BATHYSCOPE_CUDA_CALL(cuMemcpyDtoDAsync(reinterpret_cast<CUdeviceptr>(to),
                                               reinterpret_cast<CUdeviceptr>(from),
                                               static_cast<std::size_t>(bytes), m_part.stream.get()));
    };
    if (chunk.routing && moeLayer >= 0) {
        const std::int64_t k = m_config.moe->numExpertsPerTok;
        const std::int64_t rows = chunk.tokens - chunk.firstNeeded;
        copy(chunk.routing + moeLayer * rows * k,
             m_work.choices.as<RoutedExpert>() + (chunk.firstNeeded - span.first) * k,
             rows * k * std::int64_t(sizeof(RoutedExpert)));
    }
    const std::int64_t values = std::int64_t(chunk.tokens) * m_config.hiddenSize;
    if (chunk.hidden)
        copy(chunk.hidden + layer * values, chunk.x, values * std::int64_t(sizeof(float)));
}

void TensorCorePrefill::run(const PrefillChunk &chunk, const Cache &cache)
{
    m_context.reserve(chunk.firstPosition + chunk.tokens);
    prepare(chunk);
    std::int32_t moeLayer = 0;
    const auto layers = static_cast<std::int32_t>(m_part.layers.size());
    for (std::int32_t i = 0; i < layers; ++i) {
        const DeviceLayer &layer = m_part.layers[static_cast<std::size_t>(i)];
        const Span span{chunk.tokens, chunk.firstPosition, i + 1 == layers ? chunk.firstNeeded : 0};
        attention(layer, cache.layer(m_partIndex, i), chunk.x, span);
        feedForward(layer, chunk.x, span);
        copyTraces(chunk, span, i, layer.router.rows > 0 ? moeLayer++ : -1);
    }
}

} // namespace

std::unique_ptr<Prefill> createPrefill(const Model &model, std::size_t part, const PrefillOptions &options)
{
    return std::make_unique<TensorCorePrefill>(model, part, options);
}

} // namespace bathyscope::cuda
