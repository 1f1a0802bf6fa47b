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

/// Rows of an expert's gate and up computed by one task.
constexpr std::int64_t expertRowBlock = 128;

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

/// Sorts tokens by the blocks they go through. Done by one thread: it is a few comparisons a token.
void planTasks(State &s, const LayerWeights &layer, std::int64_t tokens)
{
    std::vector<FeedForwardTask> &tasks = s.buffers.tasks;
    tasks.clear();
    const auto addForAll = [&](const FeedForwardWeights &weights) {
        FeedForwardTask &task = tasks.emplace_back();
        task.weights = &weights;
        for (std::int32_t t = 0; t < tokens; ++t)
            task.tokens.push_back(t);
        task.scales.assign(static_cast<std::size_t>(tokens), 1.0F);
    };
    if (layer.dense)
        return addForAll(*layer.dense);
    const MoeWeights &moe = *layer.moe;
    if (moe.shared)
        addForAll(*moe.shared);
    const std::size_t shared = tasks.size();
    tasks.resize(shared + moe.experts.size());
    const auto k = static_cast<std::size_t>(s.config.moe->numExpertsPerTok);
    for (std::size_t i = 0; i < static_cast<std::size_t>(tokens) * k; ++i) {
        const ExpertChoice &choice = s.buffers.choices[i];
        FeedForwardTask &task = tasks[shared + choice.expert];
        task.weights = &moe.experts[choice.expert];
        task.tokens.push_back(static_cast<std::int32_t>(i / k));
        task.scales.push_back(choice.weight);
    }
    std::erase_if(tasks, [](const FeedForwardTask &task) { return task.tokens.empty(); });
}

void routeTokens(Member &member, State &s, const LayerWeights &layer, const float *normed,
                 std::int64_t tokens)
{
    if (layer.moe) {
        const MoeWeights &moe = *layer.moe;
        multiply(member,
                 {.weights = moe.router, .m = tokens, .x = normed, .y = s.buffers.routerLogits.data()});
        Router &router = *s.scratch[static_cast<std::size_t>(member.index())].router;
        const auto n = static_cast<std::size_t>(moe.router.rows);
        const auto k = static_cast<std::size_t>(s.config.moe->numExpertsPerTok);
        member.forEach(tokens, 16, [&](std::int64_t begin, std::int64_t end) {
            for (auto t = static_cast<std::size_t>(begin); t < static_cast<std::size_t>(end); ++t)
                router.choose({s.buffers.routerLogits.data() + t * n, n}, moe.correctionBias,
                              {s.buffers.choices.data() + t * k, k});
        });
    }
    if (member.index() == 0) {
        planTasks(s, layer, tokens);
        std::int64_t offset = 0;
        for (FeedForwardTask &task : s.buffers.tasks) {
            task.firstActivation = offset;
            offset += static_cast<std::int64_t>(task.tokens.size()) * task.weights->gate.rows;
        }
    }
    member.barrier();
}

/// activations = scale * silu(gate x) * up x for a block of rows of one task.
void activateBlock(State &s, Scratch &own, const FeedForwardTask &task, const float *normed,
                   std::int64_t begin)
{
    const FeedForwardWeights &w = *task.weights;
    const std::int64_t hidden = s.config.hiddenSize;
    const std::int64_t rows = w.gate.rows;
    const std::int64_t end = std::min(begin + expertRowBlock, rows);
    const auto m = static_cast<std::int64_t>(task.tokens.size());
    for (std::int64_t i = 0; i < m; ++i)
        std::copy_n(normed + task.tokens[static_cast<std::size_t>(i)] * hidden, hidden,
                    own.gathered.data() + i * hidden);
    float *activations = s.buffers.activations.data() + task.firstActivation;
    const kernels::MatrixView up = w.up.rowRange(begin, end - begin);
    kernels::gemm({.weights = w.gate,
                   .rowBegin = begin,
                   .rowEnd = end,
                   .m = m,
                   .x = own.gathered.data(),
                   .xStride = hidden,
                   .y = activations,
                   .yStride = rows});
    kernels::gemm({.weights = up,
                   .rowBegin = 0,
                   .rowEnd = up.rows,
                   .m = m,
                   .x = own.gathered.data(),
                   .xStride = hidden,
                   .y = own.block.data(),
                   .yStride = up.rows});
    for (std::int64_t i = 0; i < m; ++i)
        kernels::siluMultiply({.gate = activations + i * rows + begin,
                               .up = own.block.data() + i * up.rows,
                               .out = activations + i * rows + begin,
                               .n = up.rows,
                               .scale = task.scales[static_cast<std::size_t>(i)]});
}

/// x += down(activations) for some columns of the hidden state, over all tasks in order: whatever the
/// threads do, the sums are the same.
void projectDown(State &s, Scratch &own, float *x, std::int64_t begin, std::int64_t end)
{
    const std::int64_t n = end - begin;
    for (const FeedForwardTask &task : s.buffers.tasks) {
        const kernels::MatrixView down = task.weights->down.rowRange(begin, n);
        const auto m = static_cast<std::int64_t>(task.tokens.size());
        kernels::gemm({.weights = down,
                       .rowBegin = 0,
                       .rowEnd = n,
                       .m = m,
                       .x = s.buffers.activations.data() + task.firstActivation,
                       .xStride = down.columns,
                       .y = own.block.data(),
                       .yStride = n});
        for (std::int64_t i = 0; i < m; ++i)
            kernels::addScaled(own.block.data() + i * n, 1.0F,
                               x + task.tokens[static_cast<std::size_t>(i)] * s.config.hiddenSize + begin, n);
    }
}

void feedForward(Member &member, State &s, const LayerWeights &layer, const Chunk &chunk)
{
    const std::int64_t hidden = s.config.hiddenSize;
    const std::int64_t tokens = chunk.tokens - chunk.firstNeeded;
    Scratch &own = s.scratch[static_cast<std::size_t>(member.index())];
    float *x = s.buffers.x.data() + chunk.firstNeeded * hidden;
    float *normed = s.buffers.normed.data();
    normaliseTokens(member, s, layer.postAttentionNorm, x, normed, tokens);
    routeTokens(member, s, layer, normed, tokens);

    std::int64_t blocks = 0;
    for (const FeedForwardTask &task : s.buffers.tasks)
        blocks += (task.weights->gate.rows + expertRowBlock - 1) / expertRowBlock;
    member.forEach(blocks, 1, [&](std::int64_t index, std::int64_t) {
        for (const FeedForwardTask &task : s.buffers.tasks) {
            const std::int64_t count = (task.weights->gate.rows + expertRowBlock - 1) / expertRowBlock;
            if (index < count)
                return activateBlock(s, own, task, normed, index * expertRowBlock);
            index -= count;
        }
    });
    member.forEach(hidden, kernels::gemmPanel,
                   [&](std::int64_t begin, std::int64_t end) { projectDown(s, own, x, begin, end); });
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
