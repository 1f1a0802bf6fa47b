// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/cuda/launch.h"

namespace bathyscope::kernels::cuda {

/// x += y.
class AddKernel {
public:
    /// Loads the device code of the current card. `stream` must outlive this.
    explicit AddKernel(const Stream &stream);

    /// Enqueues it. `x`: device memory [count]; `y`: the same, or pinned.
    void add(float *x, const float *y, std::int64_t count) const;

private:
    const Stream &m_stream;
    Module m_module;
    Kernel m_add;
};

} // namespace bathyscope::kernels::cuda
