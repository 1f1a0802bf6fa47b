// SPDX-License-Identifier: GPL-3.0-or-later
//
// Normalisation, activation, rotation and sums: what is done to single vectors.
#include "kernels/cpu/operations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/elementwise.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/widen-inl.h"

#include <hwy/contrib/math/math-inl.h>

#include <cmath>

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

void widenRowTarget(const MatrixView &w, std::int64_t row, float *out)
{
    for (std::int64_t c = 0; c < w.columns; c += scaleBlock)
        widenStored(w, row, c, std::min(scaleBlock, w.columns - c), out + c);
}

/// Applies vector(i) to whole vectors and scalar(i) to the elements that are left.
template <typename Vector, typename Scalar>
HWY_INLINE void forEach(std::int64_t n, const Vector &vector, const Scalar &scalar)
{
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32Tag()));
    std::int64_t i = 0;
    for (; i + lanes <= n; i += lanes)
        vector(i);
    for (; i < n; ++i)
        scalar(i);
}

void rmsNormTarget(const RmsNormParams &p)
{
    const F32Tag d;
    auto sums = hn::Zero(d);
    float rest = 0;
    forEach(
        p.n,
        [&](std::int64_t i) {
            const auto x = hn::LoadU(d, p.x + i);
            sums = hn::MulAdd(x, x, sums);
        },
        [&](std::int64_t i) { rest += p.x[i] * p.x[i]; });
    const float sum = hn::GetLane(hn::SumOfLanes(d, sums)) + rest;
    const float factor = 1.0F / std::sqrt(sum / static_cast<float>(p.n) + p.epsilon);
    const auto factors = hn::Set(d, factor);
    forEach(
        p.n,
        [&](std::int64_t i) {
            const auto x = hn::Mul(hn::LoadU(d, p.x + i), factors);
            hn::StoreU(hn::Mul(x, hn::LoadU(d, p.weight + i)), d, p.y + i);
        },
        [&](std::int64_t i) { p.y[i] = p.x[i] * factor * p.weight[i]; });
}

void siluMultiplyTarget(const SiluMultiplyParams &p)
{
    const F32Tag d;
    const auto one = hn::Set(d, 1.0F);
    const auto largest = hn::Set(d, 88.0F); // Highway's Exp is only good up to the largest finite result
    const auto scale = hn::Set(d, p.scale);
    const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
    const auto activate = [&](F32 gate, F32 up) {
        const auto silu = hn::Div(gate, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(gate), largest))));
        return hn::Mul(silu, hn::Mul(up, scale));
    };
    std::int64_t i = 0;
    for (; i + lanes <= p.n; i += lanes)
        hn::StoreU(activate(hn::LoadU(d, p.gate + i), hn::LoadU(d, p.up + i)), d, p.out + i);
    if (i < p.n) {
        // With the same exp as the rest, so that a value does not depend on how a row was split.
        const auto count = static_cast<std::size_t>(p.n - i);
        HWY_ALIGN float buffer[HWY_MAX_BYTES / sizeof(float)];
        hn::Store(activate(loadWideTail(d, p.gate + i, count), loadWideTail(d, p.up + i, count)), d, buffer);
        std::memcpy(p.out + i, buffer, count * sizeof(float));
    }
}

void addScaledTarget(const float *x, float scale, float *y, std::int64_t n)
{
    const F32Tag d;
    const auto scales = hn::Set(d, scale);
    forEach(
        n,
        [&](std::int64_t i) {
            hn::StoreU(hn::MulAdd(hn::LoadU(d, x + i), scales, hn::LoadU(d, y + i)), d, y + i);
        },
        [&](std::int64_t i) { y[i] += scale * x[i]; });
}

LogSumExp logSumExpTarget(const float *x, std::int64_t n)
{
    const F32Tag d;
    float maximum = x[0];
    auto maxima = hn::Set(d, maximum);
    forEach(
        n, [&](std::int64_t i) { maxima = hn::Max(maxima, hn::LoadU(d, x + i)); },
        [&](std::int64_t i) { maximum = std::max(maximum, x[i]); });
    maximum = std::max(maximum, hn::GetLane(hn::MaxOfLanes(d, maxima)));
    const auto shift = hn::Set(d, maximum);
    auto sums = hn::Zero(d);
    double rest = 0;
    forEach(
        n, [&](std::int64_t i) { sums = hn::Add(sums, hn::Exp(d, hn::Sub(hn::LoadU(d, x + i), shift))); },
        [&](std::int64_t i) { rest += std::exp(x[i] - maximum); });
    const double sum = rest + hn::GetLane(hn::SumOfLanes(d, sums));
    return {maximum, maximum + static_cast<float>(std::log(sum))};
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bathyscope::kernels {
HWY_EXPORT(widenRowTarget);
HWY_EXPORT(rmsNormTarget);
HWY_EXPORT(siluMultiplyTarget);
HWY_EXPORT(addScaledTarget);
HWY_EXPORT(logSumExpTarget);

void widenRow(const MatrixView &weights, std::int64_t row, float *out)
{
    HWY_DYNAMIC_DISPATCH(widenRowTarget)(weights, row, out);
}

void rmsNorm(const RmsNormParams &params)
{
    HWY_DYNAMIC_DISPATCH(rmsNormTarget)(params);
}

void siluMultiply(const SiluMultiplyParams &params)
{
    HWY_DYNAMIC_DISPATCH(siluMultiplyTarget)(params);
}

void addScaled(const float *x, float scale, float *y, std::int64_t n)
{
    HWY_DYNAMIC_DISPATCH(addScaledTarget)(x, scale, y, n);
}

LogSumExp logSumExp(const float *x, std::int64_t n)
{
    return HWY_DYNAMIC_DISPATCH(logSumExpTarget)(x, n);
}

void rope(float *x, const float *cosines, const float *sines, std::int64_t n, RopePairs pairs)
{
    const std::int64_t half = n / 2;
    const std::int64_t step = pairs == RopePairs::Adjacent ? 2 : 1;
    const std::int64_t distance = pairs == RopePairs::Adjacent ? 1 : half;
    for (std::int64_t i = 0; i < half; ++i) {
        const float a = x[i * step];
        const float b = x[i * step + distance];
        x[i * step] = a * cosines[i] - b * sines[i];
        x[i * step + distance] = b * cosines[i] + a * sines[i];
    }
}
} // namespace bathyscope::kernels
#endif
