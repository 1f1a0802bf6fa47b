// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/choose_kernels.h"

#include "kernels/cuda/images.h"

BATHYSCOPE_DEVICE_IMAGE(any_choose)

namespace bathyscope::kernels::cuda {

ChooseKernels::ChooseKernels(const DeviceInfo &info, const Stream &stream)
    : m_stream(stream)
    , m_overlaps(info.major >= 9)
    , m_module(images::any_choose())
    , m_scan(m_module.kernel("choose_scan"))
    , m_merge(m_module.kernel("choose_merge"))
{
}

void ChooseKernels::choose(const ChooseParams &params) const
{
    launch(m_scan, {.grid = {chooseSlices / 32}, .block = {512}, .programmatic = m_overlaps}, m_stream,
           params);
    launch(m_merge, {.grid = {1}, .block = {1024}, .programmatic = m_overlaps}, m_stream, params);
}

} // namespace bathyscope::kernels::cuda
