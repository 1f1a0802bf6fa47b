// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/operations.h"
#include "tests/kernels/random_matrix.h"

#include <gtest/gtest.h>

namespace bathyscope::kernels {
namespace {

struct Case {
    DType dtype;
    std::int64_t rows;
    std::int64_t columns;
};

class MatrixProducts : public testing::TestWithParam<Case> {
protected:
    std::mt19937 random{42};
    RandomMatrix matrix{random, GetParam().dtype, GetParam().rows, GetParam().columns};

    /// W[r] · x in double precision, and a bound for the rounding of float32 sums.
    double exact(std::int64_t r, const float *x, double *bound) const
    {
        double sum = 0;
        double magnitude = 0;
        for (std::int64_t c = 0; c < matrix.view.columns; ++c) {
            const double product =
                matrix.values[static_cast<std::size_t>(r * matrix.view.columns + c)] * double(x[c]);
            sum += product;
            magnitude += std::abs(product);
        }
        *bound = magnitude * 2e-6 + 1e-7;
        return sum;
    }
};

TEST_P(MatrixProducts, GemvIsTheDotProductOfEveryRow)
{
    const auto x = randomFloats(random, static_cast<std::size_t>(matrix.view.columns));
    std::vector<float> y(static_cast<std::size_t>(matrix.view.rows), NAN);
    gemv({.weights = matrix.view, .rowBegin = 0, .rowEnd = matrix.view.rows, .x = x.data(), .y = y.data()});
    for (std::int64_t r = 0; r < matrix.view.rows; ++r) {
        double bound = 0;
        const double expected = exact(r, x.data(), &bound);
        EXPECT_NEAR(y[static_cast<std::size_t>(r)], expected, bound) << "row " << r;
    }
}

TEST_P(MatrixProducts, GemvOfARowRangeScalesAccumulatesAndTouchesNothingElse)
{
    const auto x = randomFloats(random, static_cast<std::size_t>(matrix.view.columns));
    const std::int64_t first = matrix.view.rows / 3;
    const std::int64_t count = matrix.view.rows - first;
    std::vector<float> y(static_cast<std::size_t>(count) + 1, 2.0F);
    gemv({.weights = matrix.view.rowRange(first, count),
          .rowBegin = 0,
          .rowEnd = count,
          .x = x.data(),
          .y = y.data(),
          .scale = 3.0F,
          .accumulate = true});
    for (std::int64_t r = 0; r < count; ++r) {
        double bound = 0;
        const double expected = exact(first + r, x.data(), &bound);
        EXPECT_NEAR(y[static_cast<std::size_t>(r)], 2.0 + 3.0 * expected, 3 * bound + 1e-6) << "row " << r;
    }
    EXPECT_EQ(y.back(), 2.0F);
}

TEST_P(MatrixProducts, GemvTransposedIsTheProductWithEveryColumn)
{
    const auto x = randomFloats(random, static_cast<std::size_t>(matrix.view.rows));
    std::vector<float> y(static_cast<std::size_t>(matrix.view.columns) + 1, NAN);
    y.back() = 7;
    gemvTransposed({.weights = matrix.view, .x = x.data(), .y = y.data()});
    for (std::int64_t c = 0; c < matrix.view.columns; ++c) {
        double sum = 0;
        double magnitude = 0;
        for (std::int64_t r = 0; r < matrix.view.rows; ++r) {
            const double product = matrix.values[static_cast<std::size_t>(r * matrix.view.columns + c)]
                * double(x[static_cast<std::size_t>(r)]);
            sum += product;
            magnitude += std::abs(product);
        }
        EXPECT_NEAR(y[static_cast<std::size_t>(c)], sum, magnitude * 2e-6 + 1e-7) << "column " << c;
    }
    EXPECT_EQ(y.back(), 7.0F);
}

TEST_P(MatrixProducts, GemmEqualsGemvForEveryTokenCount)
{
    for (const std::int64_t tokens : {1, 2, 5, 12, 13, 31}) {
        const std::int64_t stride = matrix.view.columns + 3;
        const auto x = randomFloats(random, static_cast<std::size_t>(tokens * stride));
        const std::int64_t yStride = matrix.view.rows + 1;
        std::vector<float> y(static_cast<std::size_t>(tokens * yStride), 1.0F);
        GemmParams params{.weights = matrix.view,
                          .rowBegin = 0,
                          .rowEnd = matrix.view.rows,
                          .m = tokens,
                          .x = x.data(),
                          .xStride = stride,
                          .y = y.data(),
                          .yStride = yStride};
        gemm(params);
        params.accumulate = true;
        gemm(params); // twice the product
        for (std::int64_t t = 0; t < tokens; ++t) {
            for (std::int64_t r = 0; r < matrix.view.rows; ++r) {
                double bound = 0;
                const double expected = 2 * exact(r, x.data() + t * stride, &bound);
                ASSERT_NEAR(y[static_cast<std::size_t>(t * yStride + r)], expected, 3 * bound)
                    << "token " << t << " of " << tokens << ", row " << r;
            }
            EXPECT_EQ(y[static_cast<std::size_t>(t * yStride + matrix.view.rows)], 1.0F)
                << "wrote past the row";
        }
    }
}

TEST_P(MatrixProducts, WidenRowGivesTheStoredValues)
{
    std::vector<float> out(static_cast<std::size_t>(matrix.view.columns));
    const std::int64_t row = matrix.view.rows - 1;
    widenRow(matrix.view, row, out.data());
    for (std::int64_t c = 0; c < matrix.view.columns; ++c)
        EXPECT_FLOAT_EQ(
            out[static_cast<std::size_t>(c)],
            static_cast<float>(matrix.values[static_cast<std::size_t>(row * matrix.view.columns + c)]));
}

std::vector<Case> allCases()
{
    std::vector<Case> cases;
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16, DType::F8E4M3})
        for (const auto &[rows, columns] :
             {std::pair(1, 1), {7, 40}, {33, 96}, {130, 128}, {144, 192}, {192, 260}, {257, 129}})
            cases.push_back({dtype, rows, columns});
    return cases;
}

std::string caseName(const testing::TestParamInfo<Case> &tested)
{
    constexpr const char *names[] = {"F32", "F16", "BF16", "F8E4M3"};
    return std::string(names[static_cast<int>(tested.param.dtype)]) + "_" + std::to_string(tested.param.rows)
        + "x" + std::to_string(tested.param.columns);
}

INSTANTIATE_TEST_SUITE_P(AllTypesAndOddSizes, MatrixProducts, testing::ValuesIn(allCases()), caseName);

TEST(Widening, EveryE4m3ByteIsExact)
{
    std::vector<std::uint8_t> bytes;
    for (int i = 0; i < 256; ++i)
        if ((i & 0x7F) != 0x7F)
            bytes.push_back(static_cast<std::uint8_t>(i));
    const float one[2] = {1.0F, 1.0F};
    const MatrixView row{.data = bytes.data(),
                         .dtype = DType::F8E4M3,
                         .rows = 1,
                         .columns = static_cast<std::int64_t>(bytes.size()),
                         .scales = one,
                         .scaleColumns = 2};
    std::vector<float> out(bytes.size());
    widenRow(row, 0, out.data());
    for (std::size_t i = 0; i < bytes.size(); ++i)
        EXPECT_EQ(double(out[i]), e4m3Value(bytes[i])) << "byte " << int(bytes[i]);
}

} // namespace
} // namespace bathyscope::kernels
