// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/cuda/runtime.h"

#include <array>
#include <cstdint>

namespace bathyscope::kernels::cuda {

struct Size3 {
    unsigned x = 1, y = 1, z = 1;
};

/// How a kernel is started.
struct LaunchShape {
    Size3 grid;
    Size3 block;
    unsigned sharedBytes = 0; ///< dynamic; see Kernel::allowSharedMemory
    unsigned cluster = 1; ///< blocks of a cluster along x (sm_90 and later)
    bool cooperative = false; ///< all blocks are resident at once and may wait for each other
    /// Starts while the kernel before is still running; the kernel waits for it by griddepcontrol.wait.
    bool programmatic = false;
};

/// The untyped launch: `parameters` point to the kernel's arguments.
void launchKernel(const Kernel &kernel, const LaunchShape &shape, CUstream stream, void **parameters);

/// Starts `kernel` with parameters as its signature lists them: trivially copyable values of exactly the
/// types that the device code declares, as a rule one named struct.
template <typename... Parameters>
void launch(const Kernel &kernel, const LaunchShape &shape, const Stream &stream,
            const Parameters &...parameters)
{
    static_assert((std::is_trivially_copyable_v<Parameters> && ...));
    std::array<void *, sizeof...(Parameters)> pointers{
        const_cast<void *>(static_cast<const void *>(&parameters))...};
    launchKernel(kernel, shape, stream.get(), pointers.data());
}

} // namespace bathyscope::kernels::cuda
