// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/cuda/device_layer.h"

namespace bathyscope::kernels::cuda {

/// y[t, r] = W[r] · x[t] for one to eight tokens.
struct DecodeProductParams {
    DeviceMatrix matrix;
    const float *x = nullptr; ///< [tokens, columns]
    float *y = nullptr; ///< [tokens, rows]
    std::int32_t tokens = 0;
};

} // namespace bathyscope::kernels::cuda
