// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/executor/cuda_executor.h"
#include "engine/executor/cuda_state.h"

namespace bathyscope::cuda {

/// Room for `capacity` tokens on all cards. Throws kernels::cuda::CudaError.
std::unique_ptr<Cache> createCache(const Model &model, std::int32_t capacity);

} // namespace bathyscope::cuda
