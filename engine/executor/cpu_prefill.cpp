// SPDX-License-Identifier: GPL-3.0-or-later
//
// A chunk of tokens through one layer: matrix products instead of matrix-vector products, keys and values
// expanded, tokens grouped by expert.
#include "engine/executor/cpu_state.h"

#include <algorithm>

namespace bathyscope::cpu {

namespace {

/// Tokens handled together where a product has too few rows to go round.
constexpr std::int64_t tokenBlock = 128;

void normaliseTokens(Member &member, const State &s, const std::vector<float> &weight, const float *x,
                     float *y, std::int64_t tokens)
{
    const auto n = static_cast<std::int64_t>(weight.size());
    member.forEach(tokens, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            kernels::rmsNorm({.x = x + t * n,
                              .weight = weight.data(),
                              .y = y + t * n,
                              .n = n,
                              .epsilon = static_cast<float>(s.config.rmsNormEps)});
    });
}

/// Normalised latents and rotated keys of all tokens, into their rows of the cache.
void appendToCache(Member &member, State &s, const MlaWeights &w, float *cache, const Chunk &chunk)
{
    const MlaConfig &mla = s.config.mla();
    const std::int64_t width = mla.cacheWidth();
    const std::int64_t half = mla.qkRopeHeadDim / 2;
    multiply(member,
             {.weights = w.kvA, .m = chunk.tokens, .x = s.buffers.normed.data(), .y = s.buffers.kv.data()});
    member.forEach(chunk.tokens, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) {
            const float *kv = s.buffers.kv.data() + t * width;
            float *row = cache + (chunk.firstPosition + t) * width;
            kernels::rmsNorm({.x = kv,
                              .weight = w.kvANorm.data(),
                              .y = row,
                              .n = mla.kvLoraRank,
                              .epsilon = static_cast<float>(s.config.rmsNormEps)});
            std::copy_n(kv + mla.kvLoraRank, mla.qkRopeHeadDim, row + mla.kvLoraRank);
            kernels::rope(row + mla.kvLoraRank, s.buffers.cosines.data() + t * half,
                          s.buffers.sines.data() + t * half, mla.qkRopeHeadDim, s.config.rope.pairs);
        }
    });
}

/// Rotated queries of the needed tokens.
void projectQueries(Member &member, State &s, const MlaWeights &w, const Chunk &chunk)
{
    const MlaConfig &mla = s.config.mla();
    const std::int64_t first = chunk.firstNeeded;
    const std::int64_t needed = chunk.tokens - first;
    const float *input = s.buffers.normed.data() + first * s.config.hiddenSize;
    if (w.qA) {
        multiply(member, {.weights = *w.qA, .m = needed, .x = input, .y = s.buffers.queryLatent.data()});
        normaliseTokens(member, s, w.qANorm, s.buffers.queryLatent.data(), s.buffers.queryLatent.data(),
                        needed);
        input = s.buffers.queryLatent.data();
    }
    multiply(member, {.weights = w.qB, .m = needed, .x = input, .y = s.buffers.query.data()});
    const std::int64_t half = mla.qkRopeHeadDim / 2;
    member.forEach(needed, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t)
            for (std::int64_t head = 0; head < s.config.numAttentionHeads; ++head)
                kernels::rope(
                    s.buffers.query.data() + t * w.qB.rows + head * mla.qkHeadDim() + mla.qkNopeHeadDim,
                    s.buffers.cosines.data() + (first + t) * half,
                    s.buffers.sines.data() + (first + t) * half, mla.qkRopeHeadDim, s.config.rope.pairs);
    });
}

/// Attention of the needed tokens: a task is one head and a block of queries.
void attend(Member &member, State &s, const MlaWeights &w, const float *cache, const Chunk &chunk)
{
    const MlaConfig &mla = s.config.mla();
    const std::int64_t heads = s.config.numAttentionHeads;
    const std::int64_t needed = chunk.tokens - chunk.firstNeeded;
    // As few blocks as possible, since each expands all keys before it anew, but work for every thread.
    const std::int64_t wanted = (member.teamSize() + heads - 1) / heads;
    const std::int64_t block =
        std::min(kernels::expandedAttentionQueries, std::max(tokenBlock, (needed + wanted - 1) / wanted));
    const std::int64_t blocks = (needed + block - 1) / block;
    float *scratch = s.scratch[static_cast<std::size_t>(member.index())].attention.data();
    member.forEach(heads * blocks, 1, [&](std::int64_t task, std::int64_t) {
        const std::int64_t head = task % heads;
        const std::int64_t first = (blocks - 1 - task / heads) * block; // longest first
        const std::int64_t keyRow = head * (mla.qkNopeHeadDim + mla.vHeadDim);
        kernels::expandedAttention(
            {.queries = s.buffers.query.data() + first * w.qB.rows + head * mla.qkHeadDim(),
             .queryStride = w.qB.rows,
             .cache = cache,
             .keyWeights = w.kvB.rowRange(keyRow, mla.qkNopeHeadDim),
             .valueWeights = w.kvB.rowRange(keyRow + mla.qkNopeHeadDim, mla.vHeadDim),
             .out = s.buffers.attended.data() + first * w.o.columns + head * mla.vHeadDim,
             .outStride = w.o.columns,
             .m = std::min(block, needed - first),
             .firstPosition = chunk.firstPosition + chunk.firstNeeded + first,
             .latent = mla.kvLoraRank,
             .nope = mla.qkNopeHeadDim,
             .rope = mla.qkRopeHeadDim,
             .value = mla.vHeadDim,
             .scale = s.softmaxScale,
             .scratch = scratch});
    });
}

void prefillLatentAttention(Member &member, State &s, const MlaWeights &w, float *cache, const Chunk &chunk)
{
    appendToCache(member, s, w, cache, chunk);
    projectQueries(member, s, w, chunk);
    attend(member, s, w, cache, chunk);
}

void routeTokens(Member &member, State &s, const MoeWeights &moe, const float *normed, std::int64_t tokens)
{
    multiply(member, {.weights = moe.router, .m = tokens, .x = normed, .y = s.buffers.routerLogits.data()});
    Router &router = *s.scratch[static_cast<std::size_t>(member.index())].router;
    const auto n = static_cast<std::size_t>(moe.router.rows);
    const auto k = static_cast<std::size_t>(s.config.moe->numExpertsPerTok);
    member.forEach(tokens, 16, [&](std::int64_t begin, std::int64_t end) {
        for (auto t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t)
            router.choose({s.buffers.routerLogits.data() + t * n, n}, moe.correctionBias,
                          {s.buffers.choices.data() + t * k, k});
    });
}

void feedForward(Member &member, State &s, const LayerWeights &layer, const Chunk &chunk)
{
    const std::int64_t tokens = chunk.tokens - chunk.firstNeeded;
    float *normed = s.buffers.normed.data();
    float *x = s.buffers.x.data() + chunk.firstNeeded * s.config.hiddenSize;
    normaliseTokens(member, s, layer.postAttentionNorm, x, normed, tokens);
    if (layer.moe)
        routeTokens(member, s, *layer.moe, normed, tokens);
    if (member.index() == 0) {
        s.feedForward.clear();
        if (layer.dense)
            s.feedForward.add(*layer.dense, tokens);
        if (layer.moe && layer.moe->shared)
            s.feedForward.add(*layer.moe->shared, tokens);
        if (layer.moe)
            s.feedForward.add(layer.moe->experts,
                              std::span(s.buffers.choices)
                                  .first(static_cast<std::size_t>(tokens * s.config.moe->numExpertsPerTok)));
    }
    s.feedForward.run(member, normed, x);
}

} // namespace

void multiply(Member &member, const ProductParams &p)
{
    const kernels::MatrixView &w = p.weights;
    const std::int64_t panels = (w.rows + kernels::gemmPanel - 1) / kernels::gemmPanel;
    const std::int64_t perTask =
        panels >= std::int64_t(4) * member.teamSize() ? std::max<std::int64_t>(p.m, 1) : tokenBlock;
    const std::int64_t tokenBlocks = (p.m + perTask - 1) / perTask;
    member.forEach(panels * tokenBlocks, 1, [&](std::int64_t task, std::int64_t) {
        const std::int64_t row = task / tokenBlocks * kernels::gemmPanel;
        const std::int64_t token = task % tokenBlocks * perTask;
        kernels::gemm({.weights = w,
                       .rowBegin = row,
                       .rowEnd = std::min(row + kernels::gemmPanel, w.rows),
                       .m = std::min(perTask, p.m - token),
                       .x = p.x + token * w.columns,
                       .xStride = w.columns,
                       .y = p.y + token * w.rows,
                       .yStride = w.rows,
                       .accumulate = p.accumulate});
    });
}

void prefillLayer(Member &member, State &state, const LayerWeights &layer, float *cache, const Chunk &chunk)
{
    const std::int64_t needed = chunk.tokens - chunk.firstNeeded;
    float *x = state.buffers.x.data();
    normaliseTokens(member, state, layer.inputNorm, x, state.buffers.normed.data(), chunk.tokens);
    if (const auto *grouped = std::get_if<GqaWeights>(&layer.attention))
        prefillGroupedAttention(member, state, *grouped, cache, chunk);
    else
        prefillLatentAttention(member, state, layer.mla(), cache, chunk);
    multiply(member,
             {.weights = layer.outputProjection(),
              .m = needed,
              .x = state.buffers.attended.data(),
              .y = x + chunk.firstNeeded * state.config.hiddenSize,
              .accumulate = true});
    feedForward(member, state, layer, chunk);
}

} // namespace bathyscope::cpu
