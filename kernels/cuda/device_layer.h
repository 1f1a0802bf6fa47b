// SPDX-License-Identifier: GPL-3.0-or-later
//
// Weights in device memory, as kernels see them. Everything is as stored; rows are a multiple of 16 bytes
// and begin at one.
#pragma once

#include "kernels/matrix.h"

#include <cstdint>

namespace bathyscope::kernels::cuda {

/// A row-major matrix [rows, columns]; see MatrixView.
struct DeviceMatrix {
    const void *data = nullptr;
    const float *scales = nullptr; ///< F8E4M3: [ceil(rows/128), scaleColumns]
    std::int32_t rows = 0; ///< 0: the model has no such matrix
    std::int32_t columns = 0;
    std::int32_t scaleColumns = 0; ///< ceil(columns/128)
    DType dtype = DType::F32;
};

/// One matrix of every routed expert, at equal distances from expert to expert.
struct DeviceExperts {
    DeviceMatrix first; ///< of expert 0
    std::int64_t dataStride = 0; ///< bytes
    std::int64_t scaleStride = 0; ///< floats
};

/// What of grouped-query attention comes before its output projection; as GqaWeights.
struct DeviceGroupedAttention {
    DeviceMatrix q; ///< without rows where attention is latent
    DeviceMatrix k;
    DeviceMatrix v;
    const float *qBias = nullptr; ///< [q.rows]; these may be none
    const float *kBias = nullptr; ///< [k.rows]
    const float *vBias = nullptr; ///< [v.rows]
    const float *qNorm = nullptr; ///< [head_dim]
    const float *kNorm = nullptr; ///< [head_dim]
};

/// What one layer is made of; as LayerWeights.
struct DeviceLayer {
    const float *inputNorm = nullptr; ///< [hidden]
    const float *qANorm = nullptr; ///< [q_lora_rank]
    const float *kvANorm = nullptr; ///< [kv_lora_rank]
    const float *postAttentionNorm = nullptr; ///< [hidden]
    DeviceMatrix qA; ///< without rows where queries are projected directly
    DeviceMatrix qB;
    DeviceMatrix kvA;
    DeviceMatrix kvB;
    DeviceGroupedAttention grouped;
    DeviceMatrix o;
    DeviceMatrix gate; ///< of the dense block, or of the shared experts
    DeviceMatrix up;
    DeviceMatrix down;
    DeviceMatrix router; ///< without rows in a dense layer
    const float *correctionBias = nullptr; ///< [experts], or none
    DeviceExperts expertGate;
    DeviceExperts expertUp;
    DeviceExperts expertDown;

    /// It routes, but its routed experts are not on the card.
    [[nodiscard]] bool expertsOnHost() const { return router.rows > 0 && expertGate.first.rows == 0; }
};

} // namespace bathyscope::kernels::cuda
