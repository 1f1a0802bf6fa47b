// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/grouped_attention.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/attention-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

void groupedAttentionTarget(const GroupedAttentionParams &p)
{
    attendCached({.queries = p.queries,
                  .keys = p.keys,
                  .values = p.values,
                  .stride = p.stride,
                  .out = p.out,
                  .heads = p.heads,
                  .positions = p.positions,
                  .keyWidth = p.headDim,
                  .valueWidth = p.headDim,
                  .scale = p.scale});
}

void groupedPrefillAttentionTarget(const GroupedPrefillAttentionParams &p)
{
    const BlockwiseAttention attention{.queries = p.queries,
                                       .queryStride = p.queryStride,
                                       .out = p.out,
                                       .outStride = p.outStride,
                                       .m = p.m,
                                       .firstPosition = p.firstPosition,
                                       .keyWidth = p.headDim,
                                       .valueWidth = p.headDim,
                                       .scale = p.scale,
                                       .scratch = p.scratch};
    attendBlockwise(attention, [&](std::int64_t position, std::int64_t count, const BlockwiseBuffers &b) {
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t row = (position + i) * p.stride;
            std::copy_n(p.keys + row, p.headDim, b.keys + i * p.headDim);
            std::copy_n(p.values + row, p.headDim, b.values + i * b.valueStride);
        }
    });
}

std::int64_t groupedPrefillScratchTarget(std::int64_t headDim)
{
    return blockwiseScratch(headDim, headDim);
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bathyscope::kernels {
HWY_EXPORT(groupedAttentionTarget);
HWY_EXPORT(groupedPrefillAttentionTarget);
HWY_EXPORT(groupedPrefillScratchTarget);

void groupedAttention(const GroupedAttentionParams &params)
{
    HWY_DYNAMIC_DISPATCH(groupedAttentionTarget)(params);
}

void groupedPrefillAttention(const GroupedPrefillAttentionParams &params)
{
    HWY_DYNAMIC_DISPATCH(groupedPrefillAttentionTarget)(params);
}

std::int64_t groupedPrefillScratch(std::int64_t headDim)
{
    return HWY_DYNAMIC_DISPATCH(groupedPrefillScratchTarget)(headDim);
}
} // namespace bathyscope::kernels
#endif
