// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/quantise.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quantise.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/widen-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

constexpr float largestE4m3 = 448.0F;

/// One 128×128 block, widened; what lies beyond the edge of the matrix is 0.
struct Block {
    HWY_ALIGN float values[scaleBlock * scaleBlock];
    std::int64_t rows = 0;
    std::int64_t columns = 0;
};

template <typename T>
void loadBlock(const MatrixView &w, std::int64_t row, std::int64_t column, Block &block)
{
    block.rows = std::min(scaleBlock, w.rows - row);
    block.columns = std::min(scaleBlock, w.columns - column);
    for (std::int64_t r = 0; r < block.rows; ++r) {
        float *out = block.values + r * scaleBlock;
        widenSpan<T>(w, row + r, column, block.columns, out);
        std::fill(out + block.columns, out + scaleBlock, 0.0F);
    }
}

float largestMagnitude(const Block &block)
{
    const F32Tag d;
    auto largest = hn::Zero(d);
    for (std::int64_t i = 0; i < block.rows * scaleBlock; i += static_cast<std::int64_t>(hn::Lanes(d)))
        largest = hn::Max(largest, hn::Abs(hn::Load(d, block.values + i)));
    return hn::GetLane(hn::MaxOfLanes(d, largest));
}

/// e4m3 bits of x, |x| <= 448, in the low byte of each lane.
HWY_INLINE hn::Vec<hn::RebindToUnsigned<F32Tag>> toE4m3(F32 x)
{
    const F32Tag d;
    const hn::RebindToUnsigned<F32Tag> du;
    const auto magnitude = hn::Abs(x);
    const auto bits = hn::BitCast(du, magnitude);
    // Normal numbers: add half of the last place that stays, or less by one where that place is even.
    const auto odd = hn::And(hn::ShiftRight<20>(bits), hn::Set(du, 1U));
    const auto rounded = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFFU)));
    const auto normal = hn::ShiftRight<20>(hn::Sub(rounded, hn::Set(du, 120U << 23U)));
    // Below 2^-6 steps are 2^-9, which is the last place of numbers from 2^14 on: the addition rounds.
    const auto anchor = hn::Set(d, 16384.0F);
    const auto subnormal = hn::Sub(hn::BitCast(du, hn::Add(magnitude, anchor)), hn::BitCast(du, anchor));
    const auto isSmall = hn::RebindMask(du, hn::Lt(magnitude, hn::Set(d, 0.015625F)));
    const auto sign = hn::And(hn::ShiftRight<24>(hn::BitCast(du, x)), hn::Set(du, 0x80U));
    return hn::Or(hn::IfThenElse(isSmall, subnormal, normal), sign);
}

void storeBlock(const Block &block, float scale, std::uint8_t *out, std::int64_t stride)
{
    const F32Tag d;
    const hn::RebindToUnsigned<F32Tag> du;
    const auto divisor = hn::Set(d, scale);
    const auto most = hn::Set(d, largestE4m3);
    for (std::int64_t r = 0; r < block.rows; ++r) {
        HWY_ALIGN std::uint8_t row[scaleBlock];
        for (std::int64_t c = 0; c < scaleBlock; c += static_cast<std::int64_t>(hn::Lanes(d))) {
            const auto scaled = hn::Div(hn::Load(d, block.values + r * scaleBlock + c), divisor);
            const auto e4m3 = toE4m3(hn::Max(hn::Min(scaled, most), hn::Neg(most)));
            hn::StoreU(hn::DemoteTo(hn::Rebind<std::uint8_t, F32Tag>(),
                                    hn::BitCast(hn::RebindToSigned<decltype(du)>(), e4m3)),
                       hn::Rebind<std::uint8_t, F32Tag>(), row + c);
        }
        std::copy_n(row, block.columns, out + r * stride);
    }
}

template <typename T>
void quantiseRows(const QuantiseParams &p)
{
    const std::int64_t columns = p.weights.columns;
    const std::int64_t scaleColumns = (columns + scaleBlock - 1) / scaleBlock;
    Block block;
    for (std::int64_t r = p.rowBegin; r < p.rowEnd; r += scaleBlock) {
        for (std::int64_t c = 0; c < columns; c += scaleBlock) {
            loadBlock<T>(p.weights, r, c, block);
            const float fitting = largestMagnitude(block) / largestE4m3;
            const float scale = fitting > 0 ? fitting : 1.0F;
            p.scales[r / scaleBlock * scaleColumns + c / scaleBlock] = scale;
            storeBlock(block, scale, p.values + r * columns + c, columns);
        }
    }
}

void quantiseTarget(const QuantiseParams &p)
{
    if (p.weights.dtype == DType::F32)
        quantiseRows<float>(p);
    else if (p.weights.dtype == DType::F16)
        quantiseRows<hwy::float16_t>(p);
    else if (p.weights.dtype == DType::BF16)
        quantiseRows<hwy::bfloat16_t>(p);
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bathyscope::kernels {
HWY_EXPORT(quantiseTarget);
void quantise(const QuantiseParams &params)
{
    HWY_DYNAMIC_DISPATCH(quantiseTarget)(params);
}
} // namespace bathyscope::kernels
#endif
