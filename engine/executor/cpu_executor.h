// SPDX-License-Identifier: GPL-3.0-or-later
//
// The readable reference: all arithmetic in float32, weights used as stored.
#pragma once

#include "engine/checkpoint/tensor_source.h"
#include "engine/executor/executor.h"

namespace bathyscope {

/// `threads` 0: one for each core. Keeps `source` alive.
std::unique_ptr<Executor> createCpuExecutor(const ModelConfig &config,
                                            std::shared_ptr<const TensorSource> source, int threads);

} // namespace bathyscope
