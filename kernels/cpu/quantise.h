// SPDX-License-Identifier: GPL-3.0-or-later
//
// Weights in FP8 blocks, as DeepSeek-V3 stores them, made of weights in a wider type.
#pragma once

#include "kernels/matrix.h"

#include <cstdint>

namespace bathyscope::kernels {

/// Blocks of 128×128 (fewer at the edges): scale = largest magnitude / 448, the largest e4m3 number; values
/// are W / scale, rounded to the nearest, ties to even (DeepSeek-V3, sections 3.3.1 and 3.3.2).
struct QuantiseParams {
    MatrixView weights; ///< F32, F16 or BF16
    std::int64_t rowBegin = 0; ///< a multiple of 128
    std::int64_t rowEnd = 0; ///< a multiple of 128, or weights.rows
    std::uint8_t *values = nullptr; ///< e4m3 [rows, columns], row-major
    float *scales = nullptr; ///< [ceil(rows/128), ceil(columns/128)]; 1 for a block of zeros
};
void quantise(const QuantiseParams &params);

} // namespace bathyscope::kernels
