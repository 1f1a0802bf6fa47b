// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/cuda/choose_params.h"
#include "kernels/cuda/launch.h"

namespace bathyscope::kernels::cuda {

/// The kernels at the end of a step.
class ChooseKernels {
public:
    /// Loads the device code of `info`'s card, which is current. `stream` must outlive this.
    ChooseKernels(const DeviceInfo &info, const Stream &stream);

    /// Enqueues the choice, or has it captured.
    void choose(const ChooseParams &params) const;

private:
    const Stream &m_stream;
    bool m_overlaps; ///< the card has programmatic dependent launch
    Module m_module;
    Kernel m_scan;
    Kernel m_merge;
};

} // namespace bathyscope::kernels::cuda
