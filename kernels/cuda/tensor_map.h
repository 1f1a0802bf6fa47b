// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/cuda/prefill_params.h"

namespace bathyscope::kernels::cuda {

/// Matrices of bytes that follow each other, [matrices, rows, columns].
struct ByteMatrices {
    const void *data = nullptr; ///< at a multiple of 16 bytes
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t rowStride = 0; ///< bytes, a multiple of 16
    std::int32_t matrices = 0; ///< 0: a single one, whose map has two dimensions
    std::int64_t matrixStride = 0; ///< bytes, a multiple of 16
};

/// What the copy engine needs to copy boxes of 128 rows and 128 bytes in the order of swizzled(). Throws
/// CudaError where the driver refuses.
TensorMap encodeTensorMap(const ByteMatrices &matrices);

} // namespace bathyscope::kernels::cuda
