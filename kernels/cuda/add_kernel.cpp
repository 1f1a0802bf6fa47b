// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/add_kernel.h"

#include "kernels/cuda/images.h"

#include <algorithm>

BATHYSCOPE_DEVICE_IMAGE(any_add)

namespace bathyscope::kernels::cuda {

AddKernel::AddKernel(const Stream &stream)
    : m_stream(stream)
    , m_module(images::any_add())
    , m_add(m_module.kernel("add"))
{
}

void AddKernel::add(float *x, const float *y, std::int64_t count) const
{
    constexpr std::int64_t threads = 256;
    const std::int64_t blocks = std::clamp<std::int64_t>((count + threads - 1) / threads, 1, 1024);
    launch(m_add, {.grid = {static_cast<unsigned>(blocks)}, .block = {unsigned(threads)}}, m_stream, x, y,
           count);
}

} // namespace bathyscope::kernels::cuda
