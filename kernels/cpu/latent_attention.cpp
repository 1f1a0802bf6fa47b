// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/latent_attention.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/attention-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

void latentAttentionTarget(const LatentAttentionParams &p)
{
    attendCached({.queries = p.queries,
                  .keys = p.cache,
                  .values = p.cache,
                  .stride = p.latent + p.rope,
                  .out = p.out,
                  .heads = p.heads,
                  .positions = p.positions,
                  .keyWidth = p.latent + p.rope,
                  .valueWidth = p.latent,
                  .scale = p.scale});
}

/// Keys and values of `count` cached rows, from their latents.
HWY_INLINE void expand(const ExpandedAttentionParams &p, const float *rows, std::int64_t count,
                       const BlockwiseBuffers &b)
{
    const std::int64_t width = p.latent + p.rope;
    const std::int64_t keyWidth = p.nope + p.rope;
    multiplyStored({.weights = p.keyWeights,
                    .rowBegin = 0,
                    .rowEnd = p.nope,
                    .m = count,
                    .x = rows,
                    .xStride = width,
                    .y = b.keys,
                    .yStride = keyWidth});
    multiplyStored({.weights = p.valueWeights,
                    .rowBegin = 0,
                    .rowEnd = p.value,
                    .m = count,
                    .x = rows,
                    .xStride = width,
                    .y = b.values,
                    .yStride = b.valueStride});
    for (std::int64_t i = 0; i < count; ++i)
        std::copy_n(rows + i * width + p.latent, p.rope, b.keys + i * keyWidth + p.nope);
}

void expandedAttentionTarget(const ExpandedAttentionParams &p)
{
    const BlockwiseAttention attention{.queries = p.queries,
                                       .queryStride = p.queryStride,
                                       .out = p.out,
                                       .outStride = p.outStride,
                                       .m = p.m,
                                       .firstPosition = p.firstPosition,
                                       .keyWidth = p.nope + p.rope,
                                       .valueWidth = p.value,
                                       .scale = p.scale,
                                       .scratch = p.scratch};
    attendBlockwise(attention, [&](std::int64_t position, std::int64_t count, const BlockwiseBuffers &b) {
        expand(p, p.cache + position * (p.latent + p.rope), count, b);
    });
}

std::int64_t expandedScratchTarget(std::int64_t nope, std::int64_t rope, std::int64_t value)
{
    return blockwiseScratch(nope + rope, value);
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
