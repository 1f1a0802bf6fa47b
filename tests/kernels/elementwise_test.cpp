// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"
#include "tests/kernels/random_matrix.h"

#include <gtest/gtest.h>

namespace bathyscope::kernels {
namespace {

/// Sizes around the vector lengths of all instruction sets.
const std::size_t sizes[] = {1, 3, 4, 7, 8, 15, 16, 17, 31, 64, 100};

TEST(RmsNorm, DividesByTheRootOfTheMeanSquare)
{
    std::mt19937 random(1);
    for (const std::size_t n : sizes) {
        const auto x = randomFloats(random, n);
        const auto weight = randomFloats(random, n);
        double squares = 0;
        for (const float value : x)
            squares += double(value) * double(value);
        const double factor = 1 / std::sqrt(squares / double(n) + 1e-3);
        std::vector<float> y = x;
        rmsNorm({y.data(), weight.data(), y.data(), static_cast<std::int64_t>(n), 1e-3F});
        for (std::size_t i = 0; i < n; ++i)
            EXPECT_NEAR(y[i], double(x[i]) * factor * double(weight[i]), 1e-5) << n;
    }
}

TEST(SiluMultiply, IsTheGatedProduct)
{
    std::mt19937 random(2);
    for (const std::size_t n : sizes) {
        auto gate = randomFloats(random, n);
        const auto up = randomFloats(random, n);
        gate[0] = -200; // exp overflows there: silu must be 0, not NaN
        std::vector<float> out(n);
        siluMultiply({gate.data(), up.data(), out.data(), static_cast<std::int64_t>(n), 2.5F});
        for (std::size_t i = 0; i < n; ++i)
            EXPECT_NEAR(out[i], 2.5 * double(gate[i]) / (1 + std::exp(-double(gate[i]))) * double(up[i]),
                        1e-5)
                << n;
    }
}

TEST(LogSumExp, IsExactForLargeAndSmallLogits)
{
    std::mt19937 random(3);
    for (const std::size_t n : sizes) {
        auto x = randomFloats(random, n);
        for (const float shift : {-1e4F, 0.0F, 1e4F}) {
            auto shifted = x;
            for (float &value : shifted)
                value += shift;
            double sum = 0;
            for (const float value : shifted)
                sum += std::exp(double(value) - double(shift));
            const LogSumExp result = logSumExp(shifted.data(), static_cast<std::int64_t>(n));
            EXPECT_NEAR(result.logSumExp, double(shift) + std::log(sum), std::abs(shift) * 2e-7 + 1e-5);
            EXPECT_EQ(result.maximum, *std::max_element(shifted.begin(), shifted.end()));
        }
    }
}

TEST(Rope, RotatesAdjacentPairsOrHalves)
{
    const float cosines[] = {0.6F, 0.8F};
    const float sines[] = {0.8F, 0.6F};
    float adjacent[] = {1, 2, 3, 4};
    rope(adjacent, cosines, sines, 4, RopePairs::Adjacent);
    EXPECT_FLOAT_EQ(adjacent[0], 1 * 0.6F - 2 * 0.8F);
    EXPECT_FLOAT_EQ(adjacent[1], 2 * 0.6F + 1 * 0.8F);
    EXPECT_FLOAT_EQ(adjacent[2], 3 * 0.8F - 4 * 0.6F);
    EXPECT_FLOAT_EQ(adjacent[3], 4 * 0.8F + 3 * 0.6F);
    float halves[] = {1, 2, 3, 4};
    rope(halves, cosines, sines, 4, RopePairs::Halves);
    EXPECT_FLOAT_EQ(halves[0], 1 * 0.6F - 3 * 0.8F);
    EXPECT_FLOAT_EQ(halves[2], 3 * 0.6F + 1 * 0.8F);
    EXPECT_FLOAT_EQ(halves[1], 2 * 0.8F - 4 * 0.6F);
    EXPECT_FLOAT_EQ(halves[3], 4 * 0.8F + 2 * 0.6F);
}

TEST(AddScaled, AddsEveryElement)
{
    std::mt19937 random(4);
    for (const std::size_t n : sizes) {
        const auto x = randomFloats(random, n);
        const auto before = randomFloats(random, n);
        auto y = before;
        addScaled(x.data(), -0.5F, y.data(), static_cast<std::int64_t>(n));
        for (std::size_t i = 0; i < n; ++i)
            EXPECT_NEAR(y[i], before[i] - 0.5F * x[i], 1e-6F);
    }
}

} // namespace
} // namespace bathyscope::kernels
