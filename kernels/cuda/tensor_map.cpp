// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/tensor_map.h"

#include "kernels/cuda/driver.h"

#include <algorithm>
#include <cstring>

namespace bathyscope::kernels::cuda {

TensorMap encodeTensorMap(const ByteMatrices &m)
{
    const auto number = [](std::int64_t value) { return static_cast<cuuint64_t>(value); };
    const cuuint64_t sizes[] = {number(m.columns), number(m.rows), number(std::max(m.matrices, 1))};
    const cuuint64_t strides[] = {number(m.rowStride), number(m.matrices > 1 ? m.matrixStride : m.rowStride)};
    const cuuint32_t box[] = {128, 128, 1};
    const cuuint32_t steps[] = {1, 1, 1};
    CUtensorMap map;
    BATHYSCOPE_CUDA_CALL(cuTensorMapEncodeTiled(
        &map, CU_TENSOR_MAP_DATA_TYPE_UINT8, m.matrices > 0 ? 3 : 2, const_cast<void *>(m.data), sizes,
        strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
        CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE));
    TensorMap result;
    static_assert(sizeof(map) == sizeof(result));
    std::memcpy(&result, &map, sizeof(result));
    return result;
}

} // namespace bathyscope::kernels::cuda
