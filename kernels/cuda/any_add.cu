// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdint>

namespace bathyscope::kernels::cuda {

extern "C" __global__ void __launch_bounds__(256) add(float *x, const float *y, std::int64_t count)
{
    const std::int64_t stride = std::int64_t(gridDim.x) * blockDim.x;
    for (std::int64_t i = std::int64_t(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride)
        x[i] += y[i];
}

} // namespace bathyscope::kernels::cuda
