// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cpu/quantise.h"

#include "kernels/cpu/operations.h"
#include "tests/kernels/random_matrix.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace bathyscope::kernels {
namespace {

struct Quantised {
    std::vector<std::uint8_t> values;
    std::vector<float> scales;
    MatrixView view;

    explicit Quantised(const MatrixView &w)
        : values(static_cast<std::size_t>(w.rows * w.columns))
        , scales(static_cast<std::size_t>((w.rows + 127) / 128 * ((w.columns + 127) / 128)))
        , view{.data = values.data(),
               .dtype = DType::F8E4M3,
               .rows = w.rows,
               .columns = w.columns,
               .scales = scales.data(),
               .scaleColumns = (w.columns + 127) / 128}
    {
        // In two parts, as a loader with several threads does it.
        const std::int64_t half = std::min<std::int64_t>(w.rows, 128);
        quantise({w, 0, half, values.data(), scales.data()});
        quantise({w, half, w.rows, values.data(), scales.data()});
    }
};

/// The largest magnitude is 448, so the scale is 1 and the bytes are e4m3's rounding alone. What is expected
/// was recorded with ml_dtypes (tests/data/README.md): all midpoints, their neighbours, random numbers.
TEST(Quantise, RoundsAsTheReferenceDoes)
{
    std::ifstream file(std::string(BATHYSCOPE_TEST_DATA) + "/e4m3_rounding.json");
    const auto pairs = nlohmann::json::parse(file).get<std::vector<std::pair<std::uint32_t, int>>>();
    ASSERT_GT(pairs.size(), 700U);
    std::vector<float> row(128, 0.0F);
    for (std::size_t begin = 0; begin < pairs.size(); begin += 127) {
        const std::size_t count = std::min<std::size_t>(127, pairs.size() - begin);
        for (std::size_t i = 0; i < count; ++i)
            std::memcpy(&row[i], &pairs[begin + i].first, sizeof(float));
        row[127] = 448;
        const Quantised quantised({.data = row.data(), .dtype = DType::F32, .rows = 1, .columns = 128});
        ASSERT_EQ(quantised.scales[0], 1.0F);
        for (std::size_t i = 0; i < count; ++i)
            EXPECT_EQ(quantised.values[i], pairs[begin + i].second) << row[i];
    }
}

TEST(Quantise, ScalesEveryBlockByItsLargestMagnitude)
{
    std::mt19937 random(3);
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16}) {
        for (const auto &[rows, columns] : {std::pair(1, 1), {130, 257}, {128, 128}, {300, 64}, {7, 1000}}) {
            const RandomMatrix m(random, dtype, rows, columns);
            const Quantised quantised(m.view);
            std::vector<float> row(static_cast<std::size_t>(columns));
            for (std::int64_t r = 0; r < rows; ++r) {
                widenRow(quantised.view, r, row.data());
                for (std::int64_t c = 0; c < columns; ++c) {
                    const auto scale = double(quantised.view.scalesOfRow(r)[c / 128]);
                    const double value = m.values[static_cast<std::size_t>(r * columns + c)];
                    // Half a place of a three-bit mantissa; half of the least step below the normal numbers.
                    const double bound = std::max(std::abs(value) / 16, scale * std::ldexp(1, -10));
                    EXPECT_NEAR(double(row[static_cast<std::size_t>(c)]), value, bound * 1.0001);
                }
            }
            for (std::int64_t block = 0; block < std::int64_t(quantised.scales.size()); ++block) {
                const std::int64_t first = block / quantised.view.scaleColumns * 128;
                const std::int64_t column = block % quantised.view.scaleColumns * 128;
                double largest = 0;
                for (std::int64_t r = first; r < std::min<std::int64_t>(first + 128, rows); ++r) {
                    for (std::int64_t c = column; c < std::min<std::int64_t>(column + 128, columns); ++c)
                        largest =
                            std::max(largest, std::abs(m.values[static_cast<std::size_t>(r * columns + c)]));
                }
                EXPECT_FLOAT_EQ(quantised.scales[static_cast<std::size_t>(block)] * 448,
                                static_cast<float>(largest));
            }
        }
    }
}

TEST(Quantise, ABlockOfZerosStaysZero)
{
    const std::vector<float> zeros(128 * 130, 0.0F);
    const Quantised quantised({.data = zeros.data(), .dtype = DType::F32, .rows = 128, .columns = 130});
    EXPECT_EQ(quantised.scales, (std::vector<float>{1, 1}));
    EXPECT_EQ(quantised.values, std::vector<std::uint8_t>(128 * 130, 0));
}

} // namespace
} // namespace bathyscope::kernels
