// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/executor/cuda_state.h"

#include <deque>
#include <functional>

namespace bathyscope::cuda {

/// Copies of host memory to be made in one piece of device memory.
class Upload {
public:
    /// `target` gets the copy's address; both stay where they are until commit().
    template <typename T>
    void add(const void *source, std::size_t bytes, const T *&target)
    {
        m_copies.push_back({source, bytes, m_size,
                            [&target](const void *address) { target = static_cast<const T *>(address); }});
        m_size += stride(bytes);
    }
    void add(const std::vector<float> &values, const float *&target);
    void add(const kernels::MatrixView &view, DeviceMatrix &target);

    /// Memory for values that are made to be uploaded; kept until commit().
    std::vector<float> &keep(std::size_t count) { return m_kept.emplace_back(count); }

    /// From one of several equal pieces added in a row to the next.
    static std::size_t stride(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

    /// Allocates on the current card, copies, sets the targets. Throws kernels::cuda::CudaError.
    DeviceBuffer commit();

private:
    struct Copy {
        const void *source;
        std::size_t bytes;
        std::size_t offset;
        std::function<void(const void *)> setTarget;
    };
    std::vector<Copy> m_copies;
    std::deque<std::vector<float>> m_kept;
    std::size_t m_size = 0;
};

/// Throws Error where a matrix cannot be used by the kernels as it is stored, naming `what` and why.
void expectUsable(const kernels::MatrixView &view, const char *what);

/// A layer's weights on the current card; `memory` holds them. Routed experts that are not among them stay
/// where they are.
void uploadLayer(const LayerWeights &weights, DeviceLayer &layer, std::vector<DeviceBuffer> &memory);

} // namespace bathyscope::cuda
