// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_prefill_attention.h"

#include <algorithm>

namespace bathyscope::cuda {

using kernels::cuda::Epilogue;

PrefillAttention::PrefillAttention(const Model &model, const PrefillProducts &products,
                                   const PrefillWorkspace &work, const RowPreparation &rows)
    : m_model(model)
    , m_config(model.config)
    , m_products(products)
    , m_kernels(products.kernels())
    , m_work(work)
    , m_rows(rows)
    , m_context(model.config)
{
}

void PrefillAttention::appendToCache(const DeviceLayer &layer, std::uint16_t *cache, const Rows &normed,
                                     const Span &span) const
{
    const std::int32_t width = mla().cacheWidth();
    m_products.multiply(layer.kvA, normed, {Epilogue::F32, m_work.kv.as(), width}, span.tokens);
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

void PrefillAttention::projectQueries(const DeviceLayer &layer, const Rows &normed, const Span &span) const
{
    Rows input = normed.from(span.first);
    if (layer.qA.rows > 0) {
        m_products.multiply(layer.qA, input, {Epilogue::F32, m_work.queryLatent.as(), layer.qA.rows},
                            span.needed());
        input = m_rows.normalise(m_work.queryLatent.as<float>(), layer.qANorm, m_work.queryNormed,
                                 layer.qA.rows, span.needed(), {&layer.qB});
    }
    m_products.multiply(layer.qB, input, {Epilogue::Bf16, m_work.query.as(), layer.qB.rows}, span.needed());
}

/// Attention of the needed tokens over the whole context, as many heads at a time as their keys and values
/// fit in memory.
void PrefillAttention::attend(const DeviceLayer &layer, const std::uint16_t *stored, const Span &span) const
{
    const MlaConfig &m = mla();
    const std::uint16_t *cache = m_context.cache();
    widenCache(stored, span);
    const std::int32_t perHead = m.qkNopeHeadDim + m.vHeadDim;
    const std::int64_t half = m.qkRopeHeadDim / 2;
    Rows latents{.bf16 = cache, .stride = m.cacheWidth()};
    if (m_products.usesFp8(layer.kvB)) {
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
        m_products.multiply(layer.kvB, latents, {Epilogue::Bf16, m_context.expanded(), heads * perHead},
                            span.context(), head * perHead, heads * perHead);
        m_kernels.attention({.queries = m_work.query.as<std::uint16_t>() + head * m.qkHeadDim(),
                             .keys = m_context.expanded(),
                             .values = m_context.expanded() + m.qkNopeHeadDim,
                             .rotated = cache + m.kvLoraRank,
                             .cosines = m_work.cosines.as<float>() + span.first * half,
                             .sines = m_work.sines.as<float>() + span.first * half,
                             .out = static_cast<std::uint16_t *>(m_work.attended.bf16()) + head * m.vHeadDim,
                             .queryStride = layer.qB.rows,
                             .keyStride = std::int64_t(heads) * perHead,
                             .rotatedStride = m.cacheWidth(),
                             .outStride = layer.o.columns,
                             .headStride = perHead,
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

void PrefillAttention::widenCache(const std::uint16_t *stored, const Span &span) const
{
    m_kernels.widenCache({.cache = stored,
                          .bf16 = m_context.cache(),
                          .values = std::int64_t(span.context()) * m_config.cacheWidth()});
}

void PrefillAttention::latent(const DeviceLayer &layer, std::uint16_t *cache, const float *x,
                              const Span &span) const
{
    const Rows normed = m_rows.normalise(x, layer.inputNorm, m_work.normed, m_config.hiddenSize, span.tokens,
                                         {&layer.kvA, layer.qA.rows > 0 ? &layer.qA : &layer.qB});
    appendToCache(layer, cache, normed, span);
    projectQueries(layer, normed, span);
    attend(layer, cache, span);
}

/// Queries, keys and values from their projections on; keys and values to the cache.
void PrefillAttention::finishHeads(const DeviceLayer &layer, std::uint16_t *cache, const Span &span) const
{
    m_kernels.heads({.heads = headsOf(m_config, layer.grouped),
                     .query = m_work.projectedQuery.as<float>(),
                     .kv = m_work.kv.as<float>(),
                     .cosines = m_work.cosines.as<float>(),
                     .sines = m_work.sines.as<float>(),
                     .rotated = m_work.query.as(),
                     .cache = cache + std::int64_t(span.firstPosition) * m_config.cacheWidth(),
                     .firstQuery = span.first},
                    span.tokens);
}

void PrefillAttention::grouped(const DeviceLayer &layer, std::uint16_t *cache, const float *x,
                               const Span &span) const
{
    const kernels::cuda::DeviceGroupedAttention &w = layer.grouped;
    const GqaConfig &gqa = m_config.gqa();
    const std::int32_t width = gqa.cacheWidth();
    const Rows normed = m_rows.normalise(x, layer.inputNorm, m_work.normed, m_config.hiddenSize, span.tokens,
                                         {&w.q, &w.k, &w.v});
    float *kv = m_work.kv.as<float>();
    m_products.multiply(w.k, normed, {Epilogue::F32, kv, width}, span.tokens);
    m_products.multiply(w.v, normed, {Epilogue::F32, kv + gqa.keyWidth(), width}, span.tokens);
    m_products.multiply(w.q, normed.from(span.first), {Epilogue::F32, m_work.projectedQuery.as(), w.q.rows},
                        span.needed());
    finishHeads(layer, cache, span);
    widenCache(cache, span);
    m_kernels.attention({.queries = m_work.query.as(),
                         .keys = m_context.cache(),
                         .values = m_context.cache() + gqa.keyWidth(),
                         .rotated = m_context.cache(),
                         .out = m_work.attended.bf16(),
                         .queryStride = w.q.rows,
                         .keyStride = width,
                         .rotatedStride = width,
                         .outStride = layer.o.columns,
                         .headStride = gqa.headDim,
                         .sharing = m_config.numAttentionHeads / gqa.numKeyValueHeads,
                         .heads = m_config.numAttentionHeads,
                         .tokens = span.needed(),
                         .firstPosition = span.firstPosition + span.first,
                         .nope = gqa.headDim,
                         .rope = 0,
                         .value = gqa.headDim,
                         .scale = m_model.softmaxScale});
}

void PrefillAttention::run(const DeviceLayer &layer, std::uint16_t *cache, float *x, const Span &span) const
{
    if (layer.grouped.q.rows > 0)
        grouped(layer, cache, x, span);
    else
        latent(layer, cache, x, span);
    Rows attended = m_work.attended.view(layer.o.columns);
    if (m_products.usesFp8(layer.o))
        attended =
            m_rows.quantise(attended.bf16, attended.stride, m_work.attended, layer.o.columns, span.needed());
    m_products.multiply(
        layer.o, attended,
        {Epilogue::AddF32, x + std::int64_t(span.first) * m_config.hiddenSize, m_config.hiddenSize},
        span.needed());
}

} // namespace bathyscope::cuda
