// SPDX-License-Identifier: GPL-3.0-or-later
//
// One token through one layer. Phases are separated by barriers; what is cheap is computed by every thread
// for itself instead of being shared through one more barrier.
#include "engine/executor/cpu_state.h"

#include <algorithm>

namespace bathyscope::cpu {

namespace {

using kernels::MatrixView;

void normalise(const State &s, const float *x, const std::vector<float> &weight, float *y)
{
    kernels::rmsNorm({.x = x,
                      .weight = weight.data(),
                      .y = y,
                      .n = static_cast<std::int64_t>(weight.size()),
                      .epsilon = static_cast<float>(s.config.rmsNormEps)});
}

/// Calls part(index, begin, end) for the pieces of [begin, end) in consecutive ranges of the given sizes.
template <std::size_t N, typename Part>
void splitRange(const std::int64_t (&sizes)[N], std::int64_t begin, std::int64_t end, const Part &part)
{
    std::int64_t start = 0;
    for (std::size_t i = 0; i < N; ++i) {
        const std::int64_t from = std::max(begin, start);
        const std::int64_t to = std::min(end, start + sizes[i]);
        if (from < to)
            part(i, from - start, to - start);
        start += sizes[i];
    }
}

/// Latents of query and key-value from the normalised input.
void projectLatents(Member &member, State &s, const MlaWeights &w)
{
    const Scratch &own = s.scratch[static_cast<std::size_t>(member.index())];
    const std::int64_t rows[] = {w.qA ? w.qA->rows : 0, w.kvA.rows};
    member.forEach(
        rows[0] + rows[1], rowGrain(member, rows[0] + rows[1]), [&](std::int64_t begin, std::int64_t end) {
            splitRange(rows, begin, end, [&](std::size_t part, std::int64_t from, std::int64_t to) {
                kernels::gemv({.weights = part == 0 ? *w.qA : w.kvA,
                               .rowBegin = from,
                               .rowEnd = to,
                               .x = own.normed.data(),
                               .y = part == 0 ? s.buffers.queryLatent.data() : s.buffers.kv.data()});
            });
        });
}

/// Normalises and rotates the new token's latent into its row of the cache.
void appendToCache(const State &s, const MlaWeights &w, float *row)
{
    const MlaConfig &mla = s.config.mla();
    normalise(s, s.buffers.kv.data(), w.kvANorm, row);
    std::copy_n(s.buffers.kv.data() + mla.kvLoraRank, mla.qkRopeHeadDim, row + mla.kvLoraRank);
    kernels::rope(row + mla.kvLoraRank, s.buffers.cosines.data(), s.buffers.sines.data(), mla.qkRopeHeadDim,
                  s.config.rope.pairs);
}

/// Query of one head: projected, rotated, and multiplied with W_UK so that it meets latents directly.
void absorbQuery(State &s, const MlaWeights &w, const float *input, std::int64_t head)
{
    const MlaConfig &mla = s.config.mla();
    float *query = s.buffers.query.data();
    float *absorbed = s.buffers.absorbed.data() + head * mla.cacheWidth();
    const std::int64_t first = head * mla.qkHeadDim();
    kernels::gemv(
        {.weights = w.qB, .rowBegin = first, .rowEnd = first + mla.qkHeadDim(), .x = input, .y = query});
    kernels::rope(query + first + mla.qkNopeHeadDim, s.buffers.cosines.data(), s.buffers.sines.data(),
                  mla.qkRopeHeadDim, s.config.rope.pairs);
    const std::int64_t keyRow = head * (mla.qkNopeHeadDim + mla.vHeadDim);
    kernels::gemvTransposed(
        {.weights = w.kvB.rowRange(keyRow, mla.qkNopeHeadDim), .x = query + first, .y = absorbed});
    std::copy_n(query + first + mla.qkNopeHeadDim, mla.qkRopeHeadDim, absorbed + mla.kvLoraRank);
}

/// Attention of some heads over the cache, and their values.
void attend(State &s, Scratch &own, const MlaWeights &w, const float *cache, std::int64_t positions,
            std::int64_t headBegin, std::int64_t headEnd)
{
    const MlaConfig &mla = s.config.mla();
    kernels::latentAttention({.queries = s.buffers.absorbed.data() + headBegin * mla.cacheWidth(),
                              .cache = cache,
                              .out = own.query.data(),
                              .heads = headEnd - headBegin,
                              .positions = positions,
                              .latent = mla.kvLoraRank,
                              .rope = mla.qkRopeHeadDim,
                              .scale = s.softmaxScale});
    for (std::int64_t head = headBegin; head < headEnd; ++head) {
        const std::int64_t valueRow = head * (mla.qkNopeHeadDim + mla.vHeadDim) + mla.qkNopeHeadDim;
        kernels::gemv({.weights = w.kvB.rowRange(valueRow, mla.vHeadDim),
                       .rowBegin = 0,
                       .rowEnd = mla.vHeadDim,
                       .x = own.query.data() + (head - headBegin) * mla.kvLoraRank,
                       .y = s.buffers.attended.data() + head * mla.vHeadDim});
    }
}

void decodeLatentAttention(Member &member, State &s, const MlaWeights &w, float *cache, std::int64_t position)
{
    Scratch &own = s.scratch[static_cast<std::size_t>(member.index())];
    const std::int64_t heads = s.config.numAttentionHeads;
    projectLatents(member, s, w);

    const float *queryInput = own.normed.data();
    if (w.qA) {
        normalise(s, s.buffers.queryLatent.data(), w.qANorm, own.queryNormed.data());
        queryInput = own.queryNormed.data();
    }
    if (member.index() == 0)
        appendToCache(s, w, cache + position * s.config.mla().cacheWidth());
    member.forEach(heads, 1, [&](std::int64_t head, std::int64_t) { absorbQuery(s, w, queryInput, head); });

    const std::int64_t headGrain = std::max<std::int64_t>(1, heads / (2 * member.teamSize()));
    member.forEach(heads, headGrain, [&](std::int64_t begin, std::int64_t end) {
        attend(s, own, w, cache, position + 1, begin, end);
    });
}

void decodeAttention(Member &member, State &s, const LayerWeights &layer, float *cache, std::int64_t position)
{
    normalise(s, s.buffers.x.data(), layer.inputNorm,
              s.scratch[static_cast<std::size_t>(member.index())].normed.data());
    if (const auto *grouped = std::get_if<GqaWeights>(&layer.attention))
        decodeGroupedAttention(member, s, *grouped, cache, position);
    else
        decodeLatentAttention(member, s, layer.mla(), cache, position);
    const MatrixView &o = layer.outputProjection();
    member.forEach(o.rows, rowGrain(member, o.rows), [&](std::int64_t begin, std::int64_t end) {
        kernels::gemv({.weights = o,
                       .rowBegin = begin,
                       .rowEnd = end,
                       .x = s.buffers.attended.data(),
                       .y = s.buffers.x.data(),
                       .accumulate = true});
    });
}

/// A block that the token goes through, and what its output is multiplied with.
struct Block {
    const FeedForwardWeights *weights;
    float scale;
    float *activations;
};

/// The blocks of a layer: the dense one, or the chosen experts and the shared one.
std::vector<Block> chooseBlocks(Member &member, State &s, const LayerWeights &layer)
{
    float *activations = s.buffers.activations.data();
    if (layer.dense)
        return {{&*layer.dense, 1.0F, activations}};
    Scratch &own = s.scratch[static_cast<std::size_t>(member.index())];
    const MoeWeights &moe = *layer.moe;
    member.forEach(moe.router.rows, rowGrain(member, moe.router.rows),
                   [&](std::int64_t begin, std::int64_t end) {
                       kernels::gemv({.weights = moe.router,
                                      .rowBegin = begin,
                                      .rowEnd = end,
                                      .x = own.normed.data(),
                                      .y = s.buffers.routerLogits.data()});
                   });
    own.router->choose({s.buffers.routerLogits.data(), static_cast<std::size_t>(moe.router.rows)},
                       moe.correctionBias, own.choices);
    if (member.index() == 0)
        std::copy(own.choices.begin(), own.choices.end(), s.buffers.choices.begin());
    std::vector<Block> blocks;
    blocks.reserve(own.choices.size() + 1);
    for (const ExpertChoice &choice : own.choices) {
        const FeedForwardWeights &expert = moe.experts[choice.expert];
        blocks.push_back({&expert, choice.weight, activations});
        activations += expert.gate.rows;
    }
    if (moe.shared)
        blocks.push_back({&*moe.shared, 1.0F, activations});
    return blocks;
}

void decodeFeedForward(Member &member, State &s, const LayerWeights &layer)
{
    Scratch &own = s.scratch[static_cast<std::size_t>(member.index())];
    normalise(s, s.buffers.x.data(), layer.postAttentionNorm, own.normed.data());
    const std::vector<Block> blocks = chooseBlocks(member, s, layer);

    std::int64_t rows = 0;
    for (const Block &block : blocks)
        rows += block.weights->gate.rows;
    member.forEach(rows, rowGrain(member, rows), [&](std::int64_t begin, std::int64_t end) {
        std::int64_t start = 0;
        for (const Block &block : blocks) {
            const std::int64_t n = block.weights->gate.rows;
            const std::int64_t from = std::max(begin - start, std::int64_t(0));
            const std::int64_t to = std::min(end - start, n);
            start += n;
            if (from >= to)
                continue;
            const float *x = own.normed.data();
            float *up = own.block.data(); // [intermediate], so that row r has its place
            kernels::gemv({.weights = block.weights->gate,
                           .rowBegin = from,
                           .rowEnd = to,
                           .x = x,
                           .y = block.activations});
            kernels::gemv({.weights = block.weights->up, .rowBegin = from, .rowEnd = to, .x = x, .y = up});
            kernels::siluMultiply({.gate = block.activations + from,
                                   .up = up + from,
                                   .out = block.activations + from,
                                   .n = to - from,
                                   .scale = block.scale});
        }
    });
    member.forEach(s.config.hiddenSize, rowGrain(member, s.config.hiddenSize),
                   [&](std::int64_t begin, std::int64_t end) {
                       for (const Block &block : blocks)
                           kernels::gemv({.weights = block.weights->down,
                                          .rowBegin = begin,
                                          .rowEnd = end,
                                          .x = block.activations,
                                          .y = s.buffers.x.data(),
                                          .accumulate = true});
                   });
}

} // namespace

std::int64_t rowGrain(const Member &member, std::int64_t rows)
{
    const std::int64_t pieces = std::int64_t(4) * member.teamSize();
    return member.teamSize() == 1 ? std::max<std::int64_t>(rows, 1)
                                  : std::max<std::int64_t>((rows / pieces + 3) / 4 * 4, 4);
}

void decodeLayer(Member &member, State &state, const LayerWeights &layer, float *cache, const Chunk &chunk)
{
    decodeAttention(member, state, layer, cache, chunk.firstPosition);
    decodeFeedForward(member, state, layer);
}

} // namespace bathyscope::cpu
