// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/library/read_bandwidth.h"
#include "tests/kernels/cuda/card.h"

#include <gtest/gtest.h>

namespace bathyscope {
namespace {

using CudaBandwidth = kernels::cuda::Card;

/// Between the slowest memory that a card of these architectures has and ten times the fastest.
TEST_F(CudaBandwidth, IsThatOfACard)
{
    const double bandwidth = measureReadBandwidth("cuda:0");
    EXPECT_GT(bandwidth, 5e10);
    EXPECT_LT(bandwidth, 8e13);
    RecordProperty("bytes_per_second", std::to_string(bandwidth));
    EXPECT_EQ(measureReadBandwidth("cuda:99"), 0);
}

} // namespace
} // namespace bathyscope
