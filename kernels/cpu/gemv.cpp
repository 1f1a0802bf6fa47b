// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemv.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/widen-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

/// Sums the lanes of R rows' products and stores them.
template <int R>
HWY_INLINE void storeRows(const GemvParams &p, std::int64_t r, const F32 (&total)[R])
{
    // One row is summed as four are, so that a result does not depend on how the rows were split.
    F32 four[4];
    for (int i = 0; i < 4; ++i)
        four[i] = i < R ? total[i] : hn::Zero(F32Tag());
    float sums[4];
    storeSumsOfFour(four, sums);
    for (int i = 0; i < R; ++i)
        p.y[r + i] = p.accumulate ? p.y[r + i] + p.scale * sums[i] : p.scale * sums[i];
}

/// R rows at once, so that a vector of x is loaded once for all of them.
template <typename T, int R>
void dotRows(const GemvParams &p, std::int64_t r)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const std::int64_t columns = p.weights.columns;
    const std::int64_t block = p.weights.scales ? scaleBlock : columns;
    F32 total[R];
    for (int i = 0; i < R; ++i)
        total[i] = hn::Zero(d);
    for (std::int64_t begin = 0; begin < columns; begin += block) {
        const std::int64_t end = std::min(begin + block, columns);
        F32 sum[R];
        F32 other[R];
        const T *row[R];
        for (int i = 0; i < R; ++i) {
            sum[i] = hn::Zero(d);
            other[i] = hn::Zero(d);
            row[i] = typedRow<T>(p.weights, r + i);
        }
        std::int64_t c = begin;
        for (; c + 2 * lanes <= end; c += 2 * lanes) {
            const auto x0 = hn::LoadU(d, p.x + c);
            const auto x1 = hn::LoadU(d, p.x + c + lanes);
            for (int i = 0; i < R; ++i) {
                F32 low;
                F32 high;
                loadWidePair(d, row[i] + c, low, high);
                sum[i] = hn::MulAdd(low, x0, sum[i]);
                other[i] = hn::MulAdd(high, x1, other[i]);
            }
        }
        for (; c + lanes <= end; c += lanes) {
            const auto x = hn::LoadU(d, p.x + c);
            for (int i = 0; i < R; ++i)
                sum[i] = hn::MulAdd(loadWide(d, row[i] + c), x, sum[i]);
        }
        if (c < end) {
            const auto count = static_cast<std::size_t>(end - c);
            const auto x = loadWideTail(d, p.x + c, count);
            for (int i = 0; i < R; ++i)
                sum[i] = hn::MulAdd(loadWideTail(d, row[i] + c, count), x, sum[i]);
        }
        for (int i = 0; i < R; ++i) {
            const float scale = p.weights.scales ? p.weights.scalesOfRow(r + i)[begin / scaleBlock] : 1.0F;
            total[i] = hn::MulAdd(hn::Add(sum[i], other[i]), hn::Set(d, scale * loadedScale<T>), total[i]);
        }
    }
    storeRows<R>(p, r, total);
}

/// The same for a packed type: unit by unit, the integers of a group first, then its scale and offset.
template <typename Block, int R>
void dotPackedRows(const GemvParams &p, std::int64_t r)
{
    const F32Tag d;
    const auto lanes = static_cast<int>(hn::Lanes(d));
    F32 total[R];
    for (int i = 0; i < R; ++i)
        total[i] = hn::Zero(d);
    Unpacked<Block> unit[R];
    for (std::int64_t c = 0; c < p.weights.columns; c += Block::unit) {
        for (int i = 0; i < R; ++i)
            unpackUnit(p.weights, r + i, c, unit[i]);
        for (int g = 0; g < Block::unit / Block::group; ++g) {
            F32 sum[R];
            for (int i = 0; i < R; ++i)
                sum[i] = hn::Zero(d);
            auto inputs = hn::Zero(d);
            for (int k = g * Block::group; k < (g + 1) * Block::group; k += lanes) {
                const auto x = hn::LoadU(d, p.x + c + k);
                for (int i = 0; i < R; ++i)
                    sum[i] = hn::MulAdd(loadQuants(d, unit[i].quants + k), x, sum[i]);
                if constexpr (Block::hasOffsets)
                    inputs = hn::Add(inputs, x);
            }
            for (int i = 0; i < R; ++i) {
                total[i] = hn::MulAdd(sum[i], hn::Set(d, unit[i].scales[g]), total[i]);
                if constexpr (Block::hasOffsets)
                    total[i] = hn::MulAdd(inputs, hn::Set(d, unit[i].offsets[g]), total[i]);
            }
        }
    }
    storeRows<R>(p, r, total);
}

template <typename T, int R>
HWY_INLINE void dotAnyRows(const GemvParams &p, std::int64_t r)
{
    if constexpr (isPackedBlock<T>)
        dotPackedRows<T, R>(p, r);
    else
        dotRows<T, R>(p, r);
}

void gemvTarget(const GemvParams &p)
{
    dispatchDType(p.weights.dtype, [&](auto element) {
        using T = decltype(element);
        std::int64_t r = p.rowBegin;
        for (; r + 4 <= p.rowEnd; r += 4)
            dotAnyRows<T, 4>(p, r);
        for (; r < p.rowEnd; ++r)
            dotAnyRows<T, 1>(p, r);
    });
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bathyscope::kernels {
HWY_EXPORT(gemvTarget);
void gemv(const GemvParams &params)
{
    HWY_DYNAMIC_DISPATCH(gemvTarget)(params);
}
} // namespace bathyscope::kernels
#endif
