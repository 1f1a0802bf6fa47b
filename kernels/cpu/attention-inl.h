// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the kinds of attention share, for each Highway target: one token over a cache, and many tokens over
// blocks of keys, both with an online softmax.
#if defined(BATHYSCOPE_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BATHYSCOPE_ATTENTION_INL_H_
#undef BATHYSCOPE_ATTENTION_INL_H_
#else
#define BATHYSCOPE_ATTENTION_INL_H_
#endif

#include "kernels/cpu/gemm-inl.h"

#include <hwy/contrib/math/math-inl.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

/// Cached positions handled together; their rows stay in the first-level cache for all heads.
constexpr std::int64_t positionBlock = 64;

/// Attention of one new token over cached keys and values, which may be the same memory.
struct CachedAttention {
    const float *queries; ///< [heads, keyWidth]
    const float *keys; ///< [positions, keyWidth], rows `stride` floats apart
    const float *values; ///< [positions, valueWidth], likewise
    std::int64_t stride;
    float *out; ///< [heads, valueWidth]
    std::int64_t heads; ///< that share these keys and values
    std::int64_t positions;
    std::int64_t keyWidth;
    std::int64_t valueWidth;
    float scale; ///< of the softmax
};

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
HWY_INLINE void dotPositions(const float *query, const float *rows, std::int64_t stride, std::int64_t width,
                             F32 (&sums)[N])
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    for (int i = 0; i < N; ++i)
        sums[i] = hn::Zero(d);
    std::int64_t c = 0;
    for (; c + lanes <= width; c += lanes) {
        const auto q = hn::LoadU(d, query + c);
        for (int i = 0; i < N; ++i)
            sums[i] = hn::MulAdd(q, hn::LoadU(d, rows + i * stride + c), sums[i]);
    }
    if (c < width) {
        const auto count = static_cast<std::size_t>(width - c);
        const auto q = loadWideTail(d, query + c, count);
        for (int i = 0; i < N; ++i)
            sums[i] = hn::MulAdd(q, loadWideTail(d, rows + i * stride + c, count), sums[i]);
    }
}

/// scores[i] = scale * query · rows[i].
HWY_INLINE void scorePositions(const CachedAttention &p, const float *query, const float *rows,
                               std::int64_t count, float *scores)
{
    const F32Tag d;
    std::int64_t i = 0;
    for (; i + 4 <= count; i += 4) {
        F32 sums[4];
        dotPositions(query, rows + i * p.stride, p.stride, p.keyWidth, sums);
        storeSumsOfFour(sums, scores + i);
    }
    for (; i < count; ++i) {
        F32 sum[1];
        dotPositions(query, rows + i * p.stride, p.stride, p.keyWidth, sum);
        scores[i] = hn::GetLane(hn::SumOfLanes(d, sum[0]));
    }
    for (i = 0; i < count; ++i)
        scores[i] *= p.scale;
}

/// V vectors of columns of out = before * out + Σ weights[i] * rows[i]: as many sums as hide the latency of
/// a multiply-add.
template <int V>
HWY_INLINE void addValueVectors(const float *weights, const float *rows, std::int64_t stride,
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
            sums[v] = hn::MulAdd(w, hn::LoadU(d, rows + i * stride + v * lanes), sums[v]);
    }
    for (int v = 0; v < V; ++v)
        hn::StoreU(sums[v], d, out + v * lanes);
}

/// out = before * out + Σ weights[i] * rows[i].
HWY_INLINE void addValues(const CachedAttention &p, const float *weights, const float *rows,
                          std::int64_t count, float before, float *out)
{
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32Tag()));
    std::int64_t c = 0;
    for (; c + 6 * lanes <= p.valueWidth; c += 6 * lanes)
        addValueVectors<6>(weights, rows + c, p.stride, count, before, out + c);
    for (; c + 2 * lanes <= p.valueWidth; c += 2 * lanes)
        addValueVectors<2>(weights, rows + c, p.stride, count, before, out + c);
    for (; c < p.valueWidth; ++c) {
        float sum = out[c] * before;
        for (std::int64_t i = 0; i < count; ++i)
            sum += weights[i] * rows[i * p.stride + c];
        out[c] = sum;
    }
}

HWY_INLINE void attendCached(const CachedAttention &p)
{
    HWY_ALIGN float scores[positionBlock + HWY_MAX_BYTES / sizeof(float)];
    constexpr std::int64_t headGroup = 16;
    for (std::int64_t first = 0; first < p.heads; first += headGroup) {
        const std::int64_t last = std::min(first + headGroup, p.heads);
        OnlineSoftmax states[headGroup];
        std::fill_n(p.out + first * p.valueWidth, (last - first) * p.valueWidth, 0.0F);
        for (std::int64_t position = 0; position < p.positions; position += positionBlock) {
            const std::int64_t count = std::min(positionBlock, p.positions - position);
            for (std::int64_t head = first; head < last; ++head) {
                scorePositions(p, p.queries + head * p.keyWidth, p.keys + position * p.stride, count, scores);
                const float before = absorbScores(states[head - first], scores, count);
                addValues(p, scores, p.values + position * p.stride, count, before,
                          p.out + head * p.valueWidth);
            }
        }
        for (std::int64_t head = first; head < last; ++head)
            for (std::int64_t c = 0; c < p.valueWidth; ++c)
                p.out[head * p.valueWidth + c] /= states[head - first].sum;
    }
}

/// Keys handled together where many queries meet them.
constexpr std::int64_t keyBlock = 128;

/// Attention of one head and a range of new tokens. Query i sees positions 0 … firstPosition + i.
struct BlockwiseAttention {
    const float *queries; ///< [m, keyWidth]
    std::int64_t queryStride;
    float *out; ///< [m, valueWidth]
    std::int64_t outStride;
    std::int64_t m;
    std::int64_t firstPosition; ///< of query 0
    std::int64_t keyWidth;
    std::int64_t valueWidth;
    float scale;
    float *scratch; ///< blockwiseScratch() floats
};

/// What attendBlockwise() needs: see BlockwiseBuffers.
HWY_INLINE std::int64_t blockwiseScratch(std::int64_t keyWidth, std::int64_t valueWidth)
{
    const std::int64_t valueStride = valueWidth + maxPanelRows;
    return keyBlock * (keyWidth + valueStride) + expandedAttentionQueries * (keyBlock + valueStride);
}

/// Buffers inside the scratch memory.
struct BlockwiseBuffers {
    float *keys; ///< [keyBlock, keyWidth]
    float *values; ///< [keyBlock, valueStride], zeros behind valueWidth
    float *scores; ///< [queries, keyBlock]
    float *sums; ///< [queries, valueStride]
    std::int64_t valueStride; ///< valueWidth, rounded up to whole panels

    explicit BlockwiseBuffers(const BlockwiseAttention &p)
        : keys(p.scratch)
        , values(keys + keyBlock * p.keyWidth)
        , scores(values + keyBlock * (p.valueWidth + maxPanelRows))
        , sums(scores + expandedAttentionQueries * keyBlock)
        , valueStride((p.valueWidth + panelRows() - 1) / panelRows() * panelRows())
    {
    }
};

/// Scores, weights and weighted values of one block of keys, for the queries from `firstQuery` on.
HWY_INLINE void attendBlock(const BlockwiseAttention &p, std::int64_t position, std::int64_t count,
                            std::int64_t firstQuery, const BlockwiseBuffers &b, OnlineSoftmax *states)
{
    const MatrixView keys{.data = b.keys, .dtype = DType::F32, .rows = count, .columns = p.keyWidth};
    multiplyStored({.weights = keys,
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

/// `fetch(position, count, buffers)` fills buffers.keys and buffers.values with a block of positions.
template <typename Fetch>
HWY_INLINE void attendBlockwise(const BlockwiseAttention &p, const Fetch &fetch)
{
    const BlockwiseBuffers b(p);
    OnlineSoftmax states[expandedAttentionQueries];
    std::fill_n(b.sums, p.m * b.valueStride, 0.0F);
    const std::int64_t positions = p.firstPosition + p.m;
    for (std::int64_t position = 0; position < positions; position += keyBlock) {
        const std::int64_t count = std::min(keyBlock, positions - position);
        fetch(position, count, b);
        for (std::int64_t i = 0; i < count; ++i)
            std::fill(b.values + i * b.valueStride + p.valueWidth, b.values + (i + 1) * b.valueStride, 0.0F);
        const std::int64_t firstQuery = std::max<std::int64_t>(0, position - p.firstPosition);
        attendBlock(p, position, count, firstQuery, b, states);
    }
    for (std::int64_t i = 0; i < p.m; ++i)
        for (std::int64_t c = 0; c < p.valueWidth; ++c)
            p.out[i * p.outStride + c] = b.sums[i * b.valueStride + c] / states[i].sum;
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // per-target include guard
