// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/matrix.h"

namespace bathyscope::kernels {

/// GGUF's types whose elements share scales.
inline constexpr DType packedTypes[] = {DType::Q8_0, DType::Q4_0,   DType::Q4_1, DType::Q5_0,
                                        DType::Q5_1, DType::IQ4_NL, DType::Q2_K, DType::Q3_K,
                                        DType::Q4_K, DType::Q5_K,   DType::Q6_K, DType::IQ4_XS};

} // namespace bathyscope::kernels
