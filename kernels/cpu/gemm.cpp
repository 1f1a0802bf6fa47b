// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm.cpp"
#include <hwy/foreach_target.h>

#include "kernels/cpu/gemm-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bathyscope::kernels::HWY_NAMESPACE {

void gemmTarget(const GemmParams &p)
{
    multiplyStored(p);
}

} // namespace bathyscope::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bathyscope::kernels {
HWY_EXPORT(gemmTarget);
void gemm(const GemmParams &params)
{
    HWY_DYNAMIC_DISPATCH(gemmTarget)(params);
}
} // namespace bathyscope::kernels
#endif
