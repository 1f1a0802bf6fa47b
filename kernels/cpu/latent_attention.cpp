// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/latent_attention.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/gemm-inl.h"

#include <hwy/contrib/math/math-inl.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

/// Cached positions handled together; their rows stay in the first-level cache for all heads.
constexpr std::int64_t positionBlock = 64;

/// State of an online softmax (arXiv 2205.14135): values so far are relative to `maximum`.
struct OnlineSoftmax {
    float maximum = -std::numeric_limits<float>::infinity();
    float sum = 0;
};

/// Turns scores into weights relative to the new maximum; returns the factor for what was summed before.
HWY_INLINE float absorbScores(OnlineSoftmax &state, float *scores, std::int64_t count)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    float maximum = state.maximum;
    for (std::int64_t i = 0; i < count; ++i)
        maximum = std::max(maximum, scores[i]);
    const auto shift = hn::Set(d, maximum);
    const std::int64_t padded = (count + lanes - 1) / lanes * lanes;
    for (std::int64_t i = count; i < padded; ++i)
        scores[i] = -std::numeric_limits<float>::infinity();
    auto sums = hn::Zero(d);
    for (std::int64_t i = 0; i < padded; i += lanes) {
        const auto e = hn::Exp(d, hn::Sub(hn::LoadU(d, scores + i), shift));
        hn::StoreU(e, d, scores + i);
        sums = hn::Add(sums, e);
    }
    const float before = state.sum > 0 ? std::exp(state.maximum - maximum) : 0.0F;
    state.sum = state.sum * before + hn::GetLane(hn::SumOfLanes(d, sums));
    state.maximum = maximum;
    return before;
}

/// sums[i] = query · rows[i], N rows of the cache at once.
template <int N>
HWY_INLINE void dotPositions(const float *query, const float *rows, std::int64_t width, F32 (&sums)[N])
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (int i = 0; i < N; ++i)
        sums[i] = hn::Zero(d);
    std::int64_t c = 0;
    for (; c + lanes <= width; c += lanes) {
        const auto q = hn::LoadU(d, query + c);
        for (int i = 0; i < N; ++i)
            sums[i] = hn::MulAdd(q, hn::LoadU(d, rows + i * width + c), sums[i]);
    }
    if (c < width) {
        const auto count = static_cast<std::size_t>(width - c);
        const auto q = loadWideTail(d, query + c, count);
        for (int i = 0; i < N; ++i)
            sums[i] = hn::MulAdd(q, loadWideTail(d, rows + i * width + c, count), sums[i]);
    }
}

/// scores[i] = scale * query · rows[i].
HWY_INLINE void scorePositions(const LatentAttentionParams &p, const float *query, const float *rows,
                               std::int64_t count, float *scores)
{
    const F32Tag d;
    const std::int64_t width = p.latent + p.rope;
    std::int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        F32 sums[4];
        dotPositions(query, rows + i * width, width, sums);
        storeSumsOfFour(sums, scores + i);
    }
    for (; i < count; ++i) {
        F32 sum[1];
        dotPositions(query, rows + i * width, width, sum);
        scores[i] = hn::GetLane(hn::SumOfLanes(d, sum[0]));
    }
    for (i = 0; i < count; ++i)
        scores[i] *= p.scale;
}

/// V vectors of columns of out = before * out + Σ weights[i] * rows[i]: as many sums as hide the latency of
/// a multiply-add.
template <int V>
HWY_INLINE void addValueVectors(const float *weights, const float *rows, std::int64_t width,
                                std::int64_t count, float before, float *out)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    F32 sums[V];
    for (int v = 0; v < V; ++v)
        sums[v] = hn::Mul(hn::LoadU(d, out + v * lanes), hn::Set(d, before));
    for (std::int64_t i = 0; i < count; ++i) {
        const auto w = hn::Set(d, weights[i]);
        for (int v = 0; v < V; ++v)
            sums[v] = hn::MulAdd(w, hn::LoadU(d, rows + i * width + v * lanes), sums[v]);
    }
    for (int v = 0; v < V; ++v)
        hn::StoreU(sums[v], d, out + v * lanes);
}

/// out = before * out + Σ weights[i] * rows[i], over the latent part.
HWY_INLINE void addValues(const LatentAttentionParams &p, const float *weights, const float *rows,
                          std::int64_t count, float before, float *out)
{
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32Tag()));
    const std::int64_t width = p.latent + p.rope;
    std::int64_t c = 0;
    for (; c + 6 * lanes <= p.latent; c += 6 * lanes)
        addValueVectors<6>(weights, rows + c, width, count, before, out + c);
    for (; c + 2 * lanes <= p.latent; c += 2 * lanes)
        addValueVectors<2>(weights, rows + c, width, count, before, out + c);
    for (; c < p.latent; ++c) {
        float sum = out[c] * before;
        for (std::int64_t i = 0; i < count; ++i)
            sum += weights[i] * rows[i * width + c];
        out[c] = sum;
    }
}

void latentAttentionTarget(const LatentAttentionParams &p)
{
    HWY_ALIGN float scores[positionBlock + HWY_MAX_BYTES / sizeof(float)];
    constexpr std::int64_t headGroup = 16;
    const std::int64_t width = p.latent + p.rope;
    for (std::int64_t first = 0; first < p.heads; first += headGroup) {
        const std::int64_t last = std::min(first + headGroup, p.heads);
        OnlineSoftmax states[headGroup];
        std::fill_n(p.out + first * p.latent, (last - first) * p.latent, 0.0F);
        for (std::int64_t position = 0; position < p.positions; position += positionBlock) {
            const std::int64_t count = std::min(positionBlock, p.positions - position);
            const float *rows = p.cache + position * width;
            for (std::int64_t head = first; head < last; ++head) {
                scorePositions(p, p.queries + head * width, rows, count, scores);
                const float before = absorbScores(states[head - first], scores, count);
                addValues(p, scores, rows, count, before, p.out + head * p.latent);
            }
        }
        for (std::int64_t head = first; head < last; ++head)
            for (std::int64_t c = 0; c < p.latent; ++c)
                p.out[head * p.latent + c] /= states[head - first].sum;
    }
}

/// Keys of the expanded form handled together.
constexpr std::int64_t keyBlock = 128;

/// Buffers of expandedAttention() inside its scratch memory.
struct ExpandedBuffers {
    float *keys; ///< [keyBlock, nope + rope]
    float *values; ///< [keyBlock, valueStride]
    float *scores; ///< [queries, keyBlock]
    float *sums; ///< [queries, valueStride]
    std::int64_t valueStride; ///< value, rounded up to whole panels

    ExpandedBuffers(float *scratch, std::int64_t nope, std::int64_t rope, std::int64_t value)
        : keys(scratch)
        , values(keys + keyBlock * (nope + rope))
        , scores(values + keyBlock * (value + maxPanelRows))
        , sums(scores + expandedAttentionQueries * keyBlock)
        , valueStride((value + panelRows() - 1) / panelRows() * panelRows())
    {
    }
};

/// Keys and values of `count` cached rows, from their latents.
HWY_INLINE void expand(const ExpandedAttentionParams &p, const float *rows, std::int64_t count,
                       const ExpandedBuffers &b)
{
    const std::int64_t width = p.latent + p.rope;
    const std::int64_t keyWidth = p.nope + p.rope;
    gemmAnyType({.weights = p.keyWeights,
                 .rowBegin = 0,
                 .rowEnd = p.nope,
                 .m = count,
                 .x = rows,
                 .xStride = width,
                 .y = b.keys,
                 .yStride = keyWidth});
    gemmAnyType({.weights = p.valueWeights,
                 .rowBegin = 0,
                 .rowEnd = p.value,
                 .m = count,
                 .x = rows,
                 .xStride = width,
                 .y = b.values,
                 .yStride = b.valueStride});
    for (std::int64_t i = 0; i < count; ++i) {
        std::copy_n(rows + i * width + p.latent, p.rope, b.keys + i * keyWidth + p.nope);
        std::fill(b.values + i * b.valueStride + p.value, b.values + (i + 1) * b.valueStride, 0.0F);
    }
}

/// Scores, weights and weighted values of one block of keys, for the queries from `firstQuery` on.
HWY_INLINE void attendBlock(const ExpandedAttentionParams &p, std::int64_t position, std::int64_t count,
                            std::int64_t firstQuery, const ExpandedBuffers &b, OnlineSoftmax *states)
{
    const MatrixView keys{.data = b.keys, .dtype = DType::F32, .rows = count, .columns = p.nope + p.rope};
    gemmAnyType({.weights = keys,
                 .rowBegin = 0,
                 .rowEnd = count,
                 .m = p.m - firstQuery,
                 .x = p.queries + firstQuery * p.queryStride,
                 .xStride = p.queryStride,
                 .y = b.scores + firstQuery * keyBlock,
                 .yStride = keyBlock});
    for (std::int64_t i = firstQuery; i < p.m; ++i) {
        float *scores = b.scores + i * keyBlock;
        const std::int64_t visible = std::min(count, p.firstPosition + i + 1 - position);
        for (std::int64_t j = 0; j < visible; ++j)
            scores[j] *= p.scale;
        const float before = absorbScores(states[i], scores, visible);
        std::fill(scores + visible, scores + count, 0.0F);
        float *sums = b.sums + i * b.valueStride;
        if (before != 1.0F)
            for (std::int64_t c = 0; c < b.valueStride; ++c)
                sums[c] *= before;
    }
    for (std::int64_t c = 0; c < b.valueStride; c += panelRows())
        multiplyPanel({b.values + c, b.valueStride, count, b.scores + firstQuery * keyBlock, keyBlock,
                       b.sums + firstQuery * b.valueStride + c, b.valueStride, true},
                      p.m - firstQuery);
}

void expandedAttentionTarget(const ExpandedAttentionParams &p)
{
    const ExpandedBuffers b(p.scratch, p.nope, p.rope, p.value);
    OnlineSoftmax states[expandedAttentionQueries];
    std::fill_n(b.sums, p.m * b.valueStride, 0.0F);
    const std::int64_t positions = p.firstPosition + p.m;
    for (std::int64_t position = 0; position < positions; position += keyBlock) {
        const std::int64_t count = std::min(keyBlock, positions - position);
        expand(p, p.cache + position * (p.latent + p.rope), count, b);
        const std::int64_t firstQuery = std::max<std::int64_t>(0, position - p.firstPosition);
        attendBlock(p, position, count, firstQuery, b, states);
    }
    for (std::int64_t i = 0; i < p.m; ++i)
        for (std::int64_t c = 0; c < p.value; ++c)
            p.out[i * p.outStride + c] = b.sums[i * b.valueStride + c] / states[i].sum;
}

std::int64_t expandedScratchTarget(std::int64_t nope, std::int64_t rope, std::int64_t value)
{
    const std::int64_t valueStride = value + maxPanelRows;
    return keyBlock * (nope + rope + valueStride) + expandedAttentionQueries * (keyBlock + valueStride);
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bathyscope::kernels {
HWY_EXPORT(latentAttentionTarget);
HWY_EXPORT(expandedAttentionTarget);
HWY_EXPORT(expandedScratchTarget);

void latentAttention(const LatentAttentionParams &params)
{
    HWY_DYNAMIC_DISPATCH(latentAttentionTarget)(params);
}

void expandedAttention(const ExpandedAttentionParams &params)
{
    HWY_DYNAMIC_DISPATCH(expandedAttentionTarget)(params);
}

std::int64_t expandedAttentionScratch(std::int64_t nope, std::int64_t rope, std::int64_t value)
{
    return HWY_DYNAMIC_DISPATCH(expandedScratchTarget)(nope, rope, value);
}
} // namespace bathyscope::kernels
#endif
