// SPDX-License-Identifier: GPL-3.0-or-later
//
// Loads of stored weights as float32 vectors, for each Highway target. Included inside foreach_target files.
#if defined(BATHYSCOPE_WIDEN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef BATHYSCOPE_WIDEN_INL_H_
#undef BATHYSCOPE_WIDEN_INL_H_
#else
#define BATHYSCOPE_WIDEN_INL_H_
#endif

#include "kernels/cpu/packed-inl.h"
#include "kernels/matrix.h"

#include <hwy/highway.h>

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

using F32Tag = hn::ScalableTag<float>;
using F32 = hn::Vec<F32Tag>;

/// An e4m3 number as stored: 1 sign, 4 exponent (bias 7), 3 mantissa bits (OCP FP8, without infinities).
struct E4m3 {
    std::uint8_t bits;
};

/// What a loaded value must be multiplied with to be the stored one.
template <typename T>
constexpr float loadedScale = 1.0F;
/// e4m3's bits, moved into a half-precision number, read as the value times 2^-8: exponents are biased by
/// 15 there instead of 7. Subnormals are exact too.
template <>
inline constexpr float loadedScale<E4m3> = 256.0F;

HWY_INLINE F32 loadWide(F32Tag d, const float *p)
{
    return hn::LoadU(d, p);
}

HWY_INLINE F32 loadWide(F32Tag d, const hwy::float16_t *p)
{
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::float16_t, F32Tag>(), p));
}

HWY_INLINE F32 loadWide(F32Tag d, const hwy::bfloat16_t *p)
{
    return hn::PromoteTo(d, hn::LoadU(hn::Rebind<hwy::bfloat16_t, F32Tag>(), p));
}

HWY_INLINE F32 loadWide(F32Tag d, const E4m3 *p)
{
    const hn::Rebind<std::uint8_t, F32Tag> d8;
    const hn::Rebind<std::int16_t, F32Tag> d16;
    const hn::Rebind<hwy::float16_t, F32Tag> dHalf;
    const auto bytes = hn::LoadU(d8, reinterpret_cast<const std::uint8_t *>(p));
    const auto high = hn::ShiftLeft<8>(hn::PromoteTo(d16, bytes));
    const auto half = hn::And(hn::ShiftRight<1>(high), hn::Set(d16, static_cast<std::int16_t>(0xBFFF)));
    return hn::PromoteTo(d, hn::BitCast(dHalf, half));
}

/// Two neighbouring vectors.
template <typename T>
HWY_INLINE void loadWidePair(F32Tag d, const T *p, F32 &low, F32 &high)
{
    low = loadWide(d, p);
    high = loadWide(d, p + hn::Lanes(d));
}

#if HWY_TARGET != HWY_SCALAR
/// Moving the bits is done for both at once.
HWY_INLINE void loadWidePair(F32Tag d, const E4m3 *p, F32 &low, F32 &high)
{
    const hn::Repartition<std::int16_t, F32Tag> d16;
    const hn::Half<decltype(d16)> dHalf16;
    const hn::Rebind<std::uint8_t, decltype(d16)> d8;
    const hn::Rebind<hwy::float16_t, F32Tag> dHalf;
    const auto bytes = hn::LoadU(d8, reinterpret_cast<const std::uint8_t *>(p));
    const auto moved = hn::ShiftRight<1>(hn::ShiftLeft<8>(hn::PromoteTo(d16, bytes)));
    const auto half = hn::And(moved, hn::Set(d16, static_cast<std::int16_t>(0xBFFF)));
    low = hn::PromoteTo(d, hn::BitCast(dHalf, hn::LowerHalf(dHalf16, half)));
    high = hn::PromoteTo(d, hn::BitCast(dHalf, hn::UpperHalf(dHalf16, half)));
}
#endif

/// The first `count` (fewer than a vector) elements, zeros after them.
template <typename T>
HWY_INLINE F32 loadWideTail(F32Tag d, const T *p, std::size_t count)
{
    HWY_ALIGN T buffer[HWY_MAX_BYTES / sizeof(float)];
    std::memset(static_cast<void *>(buffer), 0, sizeof(buffer));
    std::memcpy(static_cast<void *>(buffer), p, count * sizeof(T));
    return loadWide(d, buffer);
}

template <typename T>
const T *typedRow(const MatrixView &w, std::int64_t r)
{
    return static_cast<const T *>(w.row(r));
}

/// Calls function(T()) with the element type of the matrix.
template <typename Function>
HWY_INLINE void dispatchDType(DType dtype, const Function &function)
{
    switch (dtype) {
    case DType::F32:
        return function(float());
    case DType::F16:
        return function(hwy::float16_t());
    case DType::BF16:
        return function(hwy::bfloat16_t());
    case DType::F8E4M3:
        return function(E4m3());
    case DType::Q8_0:
        return function(BlockQ8_0());
    case DType::Q4_0:
        return function(BlockQ4_0());
    case DType::Q4_1:
        return function(BlockQ4_1());
    case DType::Q5_0:
        return function(BlockQ5_0());
    case DType::Q5_1:
        return function(BlockQ5_1());
    case DType::IQ4_NL:
        return function(BlockIQ4_NL());
    case DType::Q2_K:
        return function(BlockQ2_K());
    case DType::Q3_K:
        return function(BlockQ3_K());
    case DType::Q4_K:
        return function(BlockQ4_K());
    case DType::Q5_K:
        return function(BlockQ5_K());
    case DType::Q6_K:
        return function(BlockQ6_K());
    case DType::IQ4_XS:
        return function(BlockIQ4_XS());
    }
}

/// out[i] = the stored value of W[r, c + i] of a packed type, in whole units.
template <typename Block>
HWY_INLINE void unpackSpan(const MatrixView &w, std::int64_t r, std::int64_t c, std::int64_t count,
                           float *out)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    Unpacked<Block> unit;
    for (std::int64_t u = 0; u < count; u += Block::unit) {
        unpackUnit(w, r, c + u, unit);
        for (std::int64_t i = 0; i < Block::unit; i += lanes) {
            const auto scale = hn::Set(d, unit.scales[i / Block::group]);
            const auto quants = loadQuants(d, unit.quants + i);
            if constexpr (Block::hasOffsets)
                hn::StoreU(hn::MulAdd(quants, scale, hn::Set(d, unit.offsets[i / Block::group])), d,
                           out + u + i);
            else
                hn::StoreU(hn::Mul(quants, scale), d, out + u + i);
        }
    }
}

/// The same for a plain type, for `count` columns that share one scale.
template <typename T>
HWY_INLINE void widenSpan(const MatrixView &w, std::int64_t r, std::int64_t c, std::int64_t count, float *out)
{
    const F32Tag d;
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const T *p = typedRow<T>(w, r) + c;
    const float scale = w.scales ? w.scalesOfRow(r)[c / scaleBlock] * loadedScale<T> : loadedScale<T>;
    const auto scales = hn::Set(d, scale);
    std::int64_t i = 0;
    for (; i + lanes <= count; i += lanes)
        hn::StoreU(hn::Mul(loadWide(d, p + i), scales), d, out + i);
    if (i < count) {
        HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
        hn::Store(hn::Mul(loadWideTail(d, p + i, static_cast<std::size_t>(count - i)), scales), d, buffer);
        std::memcpy(out + i, buffer, static_cast<std::size_t>(count - i) * sizeof(float));
    }
}

/// The same for any type; c is a multiple of scaleBlock, and so is count where the row goes on.
inline HWY_NOINLINE void widenStored(const MatrixView &w, std::int64_t r, std::int64_t c, std::int64_t count,
                                     float *out)
{
    dispatchDType(w.dtype, [&](auto element) {
        using T = decltype(element);
        if constexpr (isPackedBlock<T>)
            unpackSpan<T>(w, r, c, count, out);
        else
            widenSpan<T>(w, r, c, count, out);
    });
}

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void storeSumsOfFour(const F32 (&v)[4], float *out)
{
    for (int i = 0; i < 4; ++i)
        out[i] = hn::GetLane(v[i]);
}
#else
/// Adds the halves of a vector until four lanes are left.
template <class D>
HWY_INLINE hn::Vec<hn::FixedTag<float, 4>> foldToFour([[maybe_unused]] D d, hn::Vec<D> v)
{
    if constexpr (hn::MaxLanes(D()) <= 4) {
        return v;
    } else {
        const hn::Half<D> half;
        return foldToFour(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
    }
}

/// out[i] = sum of all lanes of v[i], i < 4: transposed while they are added, a third of four single sums.
HWY_INLINE void storeSumsOfFour(const F32 (&v)[4], float *out)
{
    const F32Tag d;
    const hn::RepartitionToWide<F32Tag> d64;
    const auto add = [&](F32 a, F32 b) {
        return hn::BitCast(d64, hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
    };
    const auto ab = add(v[0], v[1]);
    const auto cd = add(v[2], v[3]);
    const auto all = hn::Add(hn::BitCast(d, hn::InterleaveLower(d64, ab, cd)),
                             hn::BitCast(d, hn::InterleaveUpper(d64, ab, cd)));
    hn::StoreU(foldToFour(d, all), hn::FixedTag<float, 4>(), out);
}
#endif

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif // per-target include guard
