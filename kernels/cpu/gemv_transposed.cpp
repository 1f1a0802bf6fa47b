// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemv_transposed.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/widen-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

/// V vectors of columns, all within one scale block, for all rows.
template <typename T, int V>
void columnVectors(const GemvTransposedParams &p, std::int64_t c)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    F32 sum[V];
    for (int v = 0; v < V; ++v)
        sum[v] = hn::Zero(d);
    for (std::int64_t r = 0; r < p.weights.rows; ++r) {
        const T *row = typedRow<T>(p.weights, r) + c;
        const float scale = p.weights.scales ? p.weights.scalesOfRow(r)[c / scaleBlock] : 1.0F;
        const auto x = hn::Set(d, p.x[r] * scale * loadedScale<T>);
        for (int v = 0; v < V; ++v)
            sum[v] = hn::MulAdd(loadWide(d, row + v * lanes), x, sum[v]);
    }
    for (int v = 0; v < V; ++v)
        hn::StoreU(sum[v], d, p.y + c + v * lanes);
}

/// What is left of a row: fewer columns than a vector.
template <typename T>
void columnTail(const GemvTransposedParams &p, std::int64_t c, std::size_t count)
{
    const F32Tag d;
    auto sum = hn::Zero(d);
    for (std::int64_t r = 0; r < p.weights.rows; ++r) {
        const float scale = p.weights.scales ? p.weights.scalesOfRow(r)[c / scaleBlock] : 1.0F;
        const auto x = hn::Set(d, p.x[r] * scale * loadedScale<T>);
        sum = hn::MulAdd(loadWideTail(d, typedRow<T>(p.weights, r) + c, count), x, sum);
    }
    HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
    hn::Store(sum, d, buffer);
    std::memcpy(p.y + c, buffer, count * sizeof(float));
}

template <typename T>
void plainColumns(const GemvTransposedParams &p)
{
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32Tag()));
    const std::int64_t columns = p.weights.columns;
    std::int64_t c = 0;
    while (c + lanes <= columns) {
        const std::int64_t blockEnd = std::min(columns, (c / scaleBlock + 1) * scaleBlock);
        if (c + 4 * lanes <= blockEnd) {
            columnVectors<T, 4>(p, c);
            c += 4 * lanes;
        } else {
            columnVectors<T, 1>(p, c);
            c += lanes;
        }
    }
    if (c < columns)
        columnTail<T>(p, c, static_cast<std::size_t>(columns - c));
}

/// Packed types: a unit of columns for all rows.
template <typename Block>
void packedColumns(const GemvTransposedParams &p)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    Unpacked<Block> unit;
    std::fill_n(p.y, p.weights.columns, 0.0F);
    for (std::int64_t c = 0; c < p.weights.columns; c += Block::unit)
        for (std::int64_t r = 0; r < p.weights.rows; ++r) {
            unpackUnit(p.weights, r, c, unit);
            for (std::int64_t i = 0; i < Block::unit; i += lanes) {
                const auto scale = hn::Set(d, p.x[r] * unit.scales[i / Block::group]);
                auto sum = hn::MulAdd(loadQuants(d, unit.quants + i), scale, hn::LoadU(d, p.y + c + i));
                if constexpr (Block::hasOffsets)
                    sum = hn::Add(sum, hn::Set(d, p.x[r] * unit.offsets[i / Block::group]));
                hn::StoreU(sum, d, p.y + c + i);
            }
        }
}

void gemvTransposedTarget(const GemvTransposedParams &p)
{
    dispatchDType(p.weights.dtype, [&](auto element) {
        using T = decltype(element);
        if constexpr (isPackedBlock<T>)
            packedColumns<T>(p);
        else
            plainColumns<T>(p);
    });
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bathyscope::kernels {
HWY_EXPORT(gemvTransposedTarget);
void gemvTransposed(const GemvTransposedParams &params)
{
    HWY_DYNAMIC_DISPATCH(gemvTransposedTarget)(params);
}
} // namespace bathyscope::kernels
#endif
