// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/session/backend.h"

#include <cstdint>
#include <filesystem>

namespace bathyscope {

/// Writes a copy of a hub directory whose projections are FP8 blocks of 128x128 (e4m3, with
/// `weight_scale_inv` and `quantization_config`, as DeepSeek-V3's README_WEIGHTS.md describes them).
/// Embedding, head, router, norms and biases stay as they are (DeepSeek-V3, section 3.3.1). The copy appears
/// under its name when it is whole. Throws Error: for a model that is not one of F32, F16 or BF16, a target
/// that is there already, a disk with too little room; LoadCancelled when it is stopped.
void convertToFp8(const std::filesystem::path &source, const std::filesystem::path &target, int threads,
                  const LoadObserver &observer);

} // namespace bathyscope
