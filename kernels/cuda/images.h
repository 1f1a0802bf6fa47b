// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

/// Declares bathyscope::kernels::cuda::images::NAME(), the embedded device code of kernels/cuda/NAME.cu.
/// Empty where the build has no architecture that the file is for.
#define BATHYSCOPE_DEVICE_IMAGE(name)                                                                        \
    extern "C" const unsigned char bathyscope_fatbin_##name[];                                               \
    extern "C" const unsigned char bathyscope_fatbin_##name##_end[];                                         \
    namespace bathyscope::kernels::cuda::images {                                                            \
    inline std::span<const unsigned char> name()                                                             \
    {                                                                                                        \
        return {bathyscope_fatbin_##name, bathyscope_fatbin_##name##_end};                                   \
    }                                                                                                        \
    }
