// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/cpu/operations.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bathyscope {

/// e4m3 has three bits behind the point: an error of a sixteenth at most, or half of the least step.
inline void expectClose(const kernels::MatrixView &quantised, const kernels::MatrixView &stored)
{
    std::vector<float> a(static_cast<std::size_t>(stored.columns));
    std::vector<float> b(a.size());
    for (std::int64_t r = 0; r < stored.rows; ++r) {
        kernels::widenRow(quantised, r, a.data());
        kernels::widenRow(stored, r, b.data());
        for (std::size_t c = 0; c < a.size(); ++c) {
            const float scale = quantised.scalesOfRow(r)[c / 128];
            ASSERT_NEAR(a[c], b[c], std::max(std::abs(b[c]) / 16, scale / 1024) * 1.001F);
        }
    }
}

} // namespace bathyscope
