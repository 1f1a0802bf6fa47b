// SPDX-License-Identifier: GPL-3.0-or-later
//
// GGUF's packed types against the dequantisation of the gguf package, on random blocks
// (tests/data/gguf/make_blocks.py).
#include "kernels/cpu/operations.h"
#include "tests/engine/reference_data.h"
#include "tests/kernels/packed_types.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace bathyscope {
namespace {

using kernels::DType;

constexpr std::int64_t rows = 5; // one more than gemv() takes at once
constexpr std::int64_t columns = 512;

class PackedType : public testing::TestWithParam<DType> {
protected:
    const SafetensorsFile file{testData + "/gguf/blocks.safetensors"};
    const std::string name = kernels::blockOf(GetParam()).name;
    const std::vector<std::uint8_t> bytes = tensorValues<std::uint8_t>(file, name + ".bytes");
    const std::vector<float> values = tensorValues<float>(file, name + ".values");
    const kernels::MatrixView view{
        .data = bytes.data(), .dtype = GetParam(), .rows = rows, .columns = columns};

    float value(std::int64_t r, std::int64_t c) const
    {
        return values[static_cast<std::size_t>(r * columns + c)];
    }

    /// W[r]·x and the sum of the products' sizes, in double precision.
    std::pair<double, double> exact(std::int64_t r, const float *x) const
    {
        double sum = 0;
        double size = 0;
        for (std::int64_t c = 0; c < columns; ++c) {
            sum += double(value(r, c)) * double(x[c]);
            size += std::fabs(double(value(r, c)) * double(x[c]));
        }
        return {sum, size};
    }
};

std::vector<float> randomVector(std::int64_t size, unsigned seed)
{
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> x(static_cast<std::size_t>(size));
    for (float &entry : x)
        entry = normal(random);
    return x;
}

TEST_P(PackedType, HasTheSizeThatTheFormatSays)
{
    EXPECT_EQ(bytes.size(), rows * kernels::rowBytes(GetParam(), columns));
}

TEST_P(PackedType, IsDequantisedAsByTheGgufPackage)
{
    std::vector<float> row(columns);
    for (std::int64_t r = 0; r < rows; ++r) {
        kernels::widenRow(view, r, row.data());
        for (std::int64_t c = 0; c < columns; ++c)
            ASSERT_NEAR(row[static_cast<std::size_t>(c)], value(r, c), 1e-6F) << "row " << r << ", " << c;
    }
}

TEST_P(PackedType, IsMultipliedFromItsPackedForm)
{
    const auto x = randomVector(columns, 3);
    std::vector<float> y(rows, 1.0F);
    kernels::gemv({.weights = view,
                   .rowBegin = 0,
                   .rowEnd = rows,
                   .x = x.data(),
                   .y = y.data(),
                   .scale = 0.5F,
                   .accumulate = true});
    for (std::int64_t r = 0; r < rows; ++r) {
        const auto [sum, size] = exact(r, x.data());
        EXPECT_NEAR(y[static_cast<std::size_t>(r)], 1 + 0.5 * sum, 1e-6 * size) << "row " << r;
    }
}

TEST_P(PackedType, ChunksOfTokensAreMultiplied)
{
    constexpr std::int64_t m = 14; // a whole tile and a rest on every target
    const auto x = randomVector(m * columns, 4);
    std::vector<float> y(m * rows);
    kernels::gemm({.weights = view,
                   .rowBegin = 0,
                   .rowEnd = rows,
                   .m = m,
                   .x = x.data(),
                   .xStride = columns,
                   .y = y.data(),
                   .yStride = rows});
    for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t r = 0; r < rows; ++r) {
            const auto [sum, size] = exact(r, x.data() + i * columns);
            EXPECT_NEAR(y[static_cast<std::size_t>(i * rows + r)], sum, 1e-6 * size);
        }
}

TEST_P(PackedType, IsMultipliedTransposed)
{
    const auto x = randomVector(rows, 5);
    std::vector<float> y(columns, NAN);
    kernels::gemvTransposed({.weights = view, .x = x.data(), .y = y.data()});
    for (std::int64_t c = 0; c < columns; ++c) {
        double sum = 0;
        double size = 0;
        for (std::int64_t r = 0; r < rows; ++r) {
            sum += double(x[static_cast<std::size_t>(r)]) * double(value(r, c));
            size += std::fabs(double(x[static_cast<std::size_t>(r)]) * double(value(r, c)));
        }
        EXPECT_NEAR(y[static_cast<std::size_t>(c)], sum, 1e-6 * size + 1e-6);
    }
}

INSTANTIATE_TEST_SUITE_P(All, PackedType, testing::ValuesIn(kernels::packedTypes),
                         [](const auto &tested) { return kernels::blockOf(tested.param).name; });

} // namespace
} // namespace bathyscope
