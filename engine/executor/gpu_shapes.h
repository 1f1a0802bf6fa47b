// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/models/model_config.h"

#include <string>

namespace bathyscope {

/// Why the GPU's kernels do not have the model's shape, as the end of a sentence; empty: they do.
std::string gpuObstacle(const ModelConfig &config);

} // namespace bathyscope
