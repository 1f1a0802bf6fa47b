// SPDX-License-Identifier: GPL-3.0-or-later
//
// Matrix products for each Highway target. Stored weights are widened panel by panel into the first-level
// cache, transposed there so that a vector holds one column of many rows, and then used for all tokens.
#if defined(BATHYSCOPE_GEMM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BATHYSCOPE_GEMM_INL_H_
#undef BATHYSCOPE_GEMM_INL_H_
#else
#define BATHYSCOPE_GEMM_INL_H_
#endif

#include "kernels/cpu/operations.h"
#include "kernels/cpu/widen-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

/// Rows of a panel: two vectors.
HWY_INLINE std::int64_t panelRows()
{
    return 2 * static_cast<std::int64_t>(hn::Lanes(F32Tag()));
}

/// The most rows a panel has on any target, for buffers.
constexpr std::int64_t maxPanelRows = 2 * HWY_MAX_BYTES / static_cast<std::int64_t>(sizeof(float));

/// Tokens of one tile: as many as leave the accumulators in registers (32 with AVX-512, else 16).
#if HWY_TARGET <= HWY_AVX3
constexpr int tileTokens = 12;
#else
constexpr int tileTokens = 6;
#endif

/// A panel [depth, panelRows] and what it is multiplied with.
struct TileParams {
    const float *panel;
    std::int64_t panelStride; ///< floats between rows of the panel
    std::int64_t depth;
    const float *x; ///< [tokens, depth]
    std::int64_t xStride;
    float *y; ///< [tokens, panelRows]
    std::int64_t yStride;
    bool accumulate;
};

/// M tokens times one panel; y must have room for whole vectors.
template <int M>
HWY_INLINE void tile(const TileParams &p)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    F32 low[M];
    F32 high[M];
    for (int m = 0; m < M; ++m) {
        low[m] = p.accumulate ? hn::LoadU(d, p.y + m * p.yStride) : hn::Zero(d);
        high[m] = p.accumulate ? hn::LoadU(d, p.y + m * p.yStride + lanes) : hn::Zero(d);
    }
    const float *panel = p.panel;
    for (std::int64_t k = 0; k < p.depth; ++k, panel += p.panelStride) {
        const auto w0 = hn::LoadU(d, panel);
        const auto w1 = hn::LoadU(d, panel + lanes);
        for (int m = 0; m < M; ++m) {
            const auto x = hn::Set(d, p.x[m * p.xStride + k]);
            low[m] = hn::MulAdd(w0, x, low[m]);
            high[m] = hn::MulAdd(w1, x, high[m]);
        }
    }
    for (int m = 0; m < M; ++m) {
        hn::StoreU(low[m], d, p.y + m * p.yStride);
        hn::StoreU(high[m], d, p.y + m * p.yStride + lanes);
    }
}

/// All tokens times one panel.
HWY_INLINE void multiplyPanel(TileParams p, std::int64_t tokens)
{
    const auto advance = [&p](int m) {
        p.x += m * p.xStride;
        p.y += m * p.yStride;
    };
    for (; tokens >= tileTokens; tokens -= tileTokens, advance(tileTokens))
        tile<tileTokens>(p);
    for (; tokens >= 4; tokens -= 4, advance(4))
        tile<4>(p);
    for (; tokens > 0; --tokens, advance(1))
        tile<1>(p);
}

/// panel[k * stride + r] = block[r * depthStride + k] for four rows.
HWY_INLINE void transposeFourRows(const float *block, std::int64_t blockStride, std::int64_t depth,
                                  float *panel, std::int64_t panelStride)
{
    std::int64_t k = 0;
#if HWY_TARGET != HWY_SCALAR
    const hn::FixedTag<float, 4> d4;
    const hn::FixedTag<std::uint64_t, 2> d64;
    const auto pair = [&](auto a, auto b, bool upper) {
        const auto a64 = hn::BitCast(d64, a);
        const auto b64 = hn::BitCast(d64, b);
        return hn::BitCast(d4,
                           upper ? hn::InterleaveUpper(d64, a64, b64) : hn::InterleaveLower(d64, a64, b64));
    };
    for (; k + 4 <= depth; k += 4) {
        const auto r0 = hn::LoadU(d4, block + k);
        const auto r1 = hn::LoadU(d4, block + blockStride + k);
        const auto r2 = hn::LoadU(d4, block + 2 * blockStride + k);
        const auto r3 = hn::LoadU(d4, block + 3 * blockStride + k);
        const auto low01 = hn::InterleaveLower(d4, r0, r1);
        const auto high01 = hn::InterleaveUpper(d4, r0, r1);
        const auto low23 = hn::InterleaveLower(d4, r2, r3);
        const auto high23 = hn::InterleaveUpper(d4, r2, r3);
        float *out = panel + k * panelStride;
        hn::StoreU(pair(low01, low23, false), d4, out);
        hn::StoreU(pair(low01, low23, true), d4, out + panelStride);
        hn::StoreU(pair(high01, high23, false), d4, out + 2 * panelStride);
        hn::StoreU(pair(high01, high23, true), d4, out + 3 * panelStride);
    }
#endif
    for (; k < depth; ++k)
        for (std::int64_t r = 0; r < 4; ++r)
            panel[k * panelStride + r] = block[r * blockStride + k];
}

/// Widens W[row … row + panelRows, k … k + depth) into panel [depth, panelRows]; rows past the end are zero.
HWY_INLINE void packPanel(const MatrixView &w, std::int64_t row, std::int64_t k, std::int64_t depth,
                          float *panel)
{
    HWY_ALIGN float block[4 * scaleBlock];
    const std::int64_t rows = panelRows();
    for (std::int64_t r = 0; r < rows; r += 4) {
        for (std::int64_t i = 0; i < 4; ++i) {
            if (row + r + i < w.rows)
                widenStored(w, row + r + i, k, depth, block + i * scaleBlock);
            else
                std::fill_n(block + i * scaleBlock, depth, 0.0F);
        }
        transposeFourRows(block, scaleBlock, depth, panel + r, rows);
    }
}

/// See GemmParams.
HWY_INLINE void multiplyStored(const GemmParams &p)
{
    HWY_ALIGN float panel[scaleBlock * maxPanelRows];
    HWY_ALIGN float edge[tileTokens * maxPanelRows];
    const std::int64_t rows = panelRows();
    for (std::int64_t n = p.rowBegin; n < p.rowEnd; n += rows) {
        const std::int64_t count = std::min(rows, p.rowEnd - n);
        for (std::int64_t k = 0; k < p.weights.columns; k += scaleBlock) {
            const std::int64_t depth = std::min(scaleBlock, p.weights.columns - k);
            const bool accumulate = p.accumulate || k > 0;
            packPanel(p.weights, n, k, depth, panel);
            if (count == rows) {
                multiplyPanel({panel, rows, depth, p.x + k, p.xStride, p.y + n, p.yStride, accumulate}, p.m);
                continue;
            }
            for (std::int64_t m = 0; m < p.m; m += tileTokens) {
                const std::int64_t tokens = std::min<std::int64_t>(tileTokens, p.m - m);
                multiplyPanel({panel, rows, depth, p.x + m * p.xStride + k, p.xStride, edge, rows, false},
                              tokens);
                for (std::int64_t i = 0; i < tokens; ++i) {
                    float *y = p.y + (m + i) * p.yStride + n;
                    for (std::int64_t c = 0; c < count; ++c)
                        y[c] = accumulate ? y[c] + edge[i * rows + c] : edge[i * rows + c];
                }
            }
        }
    }
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // per-target include guard
