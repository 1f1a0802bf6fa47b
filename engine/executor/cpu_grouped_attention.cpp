// SPDX-License-Identifier: GPL-3.0-or-later
//
// Grouped-query attention: one token, or a chunk of tokens, up to the output projection. A row of the cache
// holds the keys of all key-value heads, then their values.
#include "engine/executor/cpu_state.h"

#include <algorithm>

namespace bathyscope::cpu {

namespace {

/// Adds the bias, normalises and rotates one head of a query or key. What the model has not is empty.
struct HeadParams {
    const std::vector<float> &bias; ///< of all heads
    const std::vector<float> &norm;
    std::int64_t head;
    std::int64_t token; ///< of the chunk, for its angles
};
void finishHead(const State &s, const HeadParams &p, float *x)
{
    const std::int64_t n = s.config.gqa().headDim;
    if (!p.bias.empty())
        kernels::addScaled(p.bias.data() + p.head * n, 1.0F, x, n);
    if (!p.norm.empty())
        kernels::rmsNorm({.x = x,
                          .weight = p.norm.data(),
                          .y = x,
                          .n = n,
                          .epsilon = static_cast<float>(s.config.rmsNormEps)});
    kernels::rope(x, s.buffers.cosines.data() + p.token * (n / 2), s.buffers.sines.data() + p.token * (n / 2),
                  n, s.config.rope.pairs);
}

void finishQuery(State &s, const GqaWeights &w, std::int64_t token, std::int64_t row, std::int64_t head)
{
    finishHead(s, {w.qBias, w.qNorm, head, token},
               s.buffers.query.data() + row * w.q.rows + head * s.config.gqa().headDim);
}

/// One key-value head of a token, from `keys` and `values` [key width] into the token's row of the cache.
void appendHead(const State &s, const GqaWeights &w, const float *keys, const float *values,
                std::int64_t token, std::int64_t head, float *row)
{
    const GqaConfig &gqa = s.config.gqa();
    const std::int64_t n = gqa.headDim;
    float *key = row + head * n;
    float *value = row + gqa.keyWidth() + head * n;
    std::copy_n(keys + head * n, n, key);
    std::copy_n(values + head * n, n, value);
    finishHead(s, {w.kBias, w.kNorm, head, token}, key);
    if (!w.vBias.empty())
        kernels::addScaled(w.vBias.data() + head * n, 1.0F, value, n);
}

/// Queries, keys and values of one token from its normalised input.
void projectOne(Member &member, State &s, const GqaWeights &w, const float *input)
{
    const std::int64_t rows = w.q.rows + w.k.rows + w.v.rows;
    member.forEach(rows, rowGrain(member, rows), [&](std::int64_t begin, std::int64_t end) {
        std::int64_t start = 0;
        const auto part = [&](const kernels::MatrixView &matrix, float *y) {
            const std::int64_t from = std::max(begin - start, std::int64_t(0));
            const std::int64_t to = std::min(end - start, matrix.rows);
            start += matrix.rows;
            if (from < to)
                kernels::gemv({.weights = matrix, .rowBegin = from, .rowEnd = to, .x = input, .y = y});
        };
        part(w.q, s.buffers.query.data());
        part(w.k, s.buffers.kv.data());
        part(w.v, s.buffers.kv.data() + w.k.rows);
    });
}

/// Attention of the heads in [begin, end), group by group.
void attendHeads(State &s, const float *cache, std::int64_t positions, std::int64_t begin, std::int64_t end)
{
    const GqaConfig &gqa = s.config.gqa();
    const std::int64_t n = gqa.headDim;
    const std::int64_t group = s.config.numAttentionHeads / gqa.numKeyValueHeads;
    while (begin < end) {
        const std::int64_t keyHead = begin / group;
        const std::int64_t groupEnd = std::min(end, (keyHead + 1) * group);
        kernels::groupedAttention({.queries = s.buffers.query.data() + begin * n,
                                   .keys = cache + keyHead * n,
                                   .values = cache + gqa.keyWidth() + keyHead * n,
                                   .stride = gqa.cacheWidth(),
                                   .out = s.buffers.attended.data() + begin * n,
                                   .heads = groupEnd - begin,
                                   .positions = positions,
                                   .headDim = n,
                                   .scale = s.softmaxScale});
        begin = groupEnd;
    }
}

/// Attention of the needed tokens: a task is one head and a block of queries.
void attendChunk(Member &member, State &s, const float *cache, const Chunk &chunk)
{
    const GqaConfig &gqa = s.config.gqa();
    const std::int64_t n = gqa.headDim;
    const std::int64_t heads = s.config.numAttentionHeads;
    const std::int64_t needed = chunk.tokens - chunk.firstNeeded;
    constexpr std::int64_t block = 128;
    const std::int64_t blocks = (needed + block - 1) / block;
    float *scratch = s.scratch[static_cast<std::size_t>(member.index())].attention.data();
    member.forEach(heads * blocks, 1, [&](std::int64_t task, std::int64_t) {
        const std::int64_t head = task % heads;
        const std::int64_t first = (blocks - 1 - task / heads) * block; // longest first
        const std::int64_t keyHead = head * gqa.numKeyValueHeads / heads;
        kernels::groupedPrefillAttention({.queries = s.buffers.query.data() + (first * heads + head) * n,
                                          .queryStride = heads * n,
                                          .keys = cache + keyHead * n,
                                          .values = cache + gqa.keyWidth() + keyHead * n,
                                          .stride = gqa.cacheWidth(),
                                          .out = s.buffers.attended.data() + (first * heads + head) * n,
                                          .outStride = heads * n,
                                          .m = std::min(block, needed - first),
                                          .firstPosition = chunk.firstPosition + chunk.firstNeeded + first,
                                          .headDim = n,
                                          .scale = s.softmaxScale,
                                          .scratch = scratch});
    });
}

} // namespace

void decodeGroupedAttention(Member &member, State &s, const GqaWeights &w, float *cache,
                            std::int64_t position)
{
    const GqaConfig &gqa = s.config.gqa();
    const std::int64_t heads = s.config.numAttentionHeads;
    projectOne(member, s, w, s.scratch[static_cast<std::size_t>(member.index())].normed.data());
    float *row = cache + position * gqa.cacheWidth();
    member.forEach(heads + gqa.numKeyValueHeads, 4, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t head = begin; head < end; ++head)
            if (head < heads)
                finishQuery(s, w, 0, 0, head);
            else
                appendHead(s, w, s.buffers.kv.data(), s.buffers.kv.data() + gqa.keyWidth(), 0, head - heads,
                           row);
    });
    const std::int64_t grain = std::max<std::int64_t>(1, heads / (2 * member.teamSize()));
    member.forEach(heads, grain, [&](std::int64_t begin, std::int64_t end) {
        attendHeads(s, cache, position + 1, begin, end);
    });
}

void prefillGroupedAttention(Member &member, State &s, const GqaWeights &w, float *cache, const Chunk &chunk)
{
    const GqaConfig &gqa = s.config.gqa();
    const std::int64_t needed = chunk.tokens - chunk.firstNeeded;
    const float *input = s.buffers.normed.data();
    float *keys = s.buffers.kv.data();
    float *values = keys + chunk.tokens * gqa.keyWidth();
    multiply(member, {.weights = w.k, .m = chunk.tokens, .x = input, .y = keys});
    multiply(member, {.weights = w.v, .m = chunk.tokens, .x = input, .y = values});
    multiply(member,
             {.weights = w.q,
              .m = needed,
              .x = input + chunk.firstNeeded * s.config.hiddenSize,
              .y = s.buffers.query.data()});
    member.forEach(chunk.tokens, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) {
            float *row = cache + (chunk.firstPosition + t) * gqa.cacheWidth();
            for (std::int64_t head = 0; head < gqa.numKeyValueHeads; ++head)
                appendHead(s, w, keys + t * gqa.keyWidth(), values + t * gqa.keyWidth(), t, head, row);
            if (t < chunk.firstNeeded)
                continue;
            for (std::int64_t head = 0; head < s.config.numAttentionHeads; ++head)
                finishQuery(s, w, t, t - chunk.firstNeeded, head);
        }
    });
    attendChunk(member, s, cache, chunk);
}

} // namespace bathyscope::cpu
