// SPDX-License-Identifier: GPL-3.0-or-later
//
// Packed types on a card: products of a few tokens, wide matrices and rows of the embedding, against the
// CPU's dequantisation of random blocks in odd sizes.
#include "engine/checkpoint/random_blocks.h"
#include "kernels/cpu/operations.h"
#include "kernels/cuda/decode_kernels.h"
#include "kernels/cuda/prefill_kernels.h"
#include "tests/kernels/cuda/card.h"
#include "tests/kernels/cuda/device_arrays.h"
#include "tests/kernels/packed_types.h"
#include "tests/kernels/random_matrix.h"

namespace bathyscope::kernels::cuda {
namespace {

/// A packed matrix on the host and on the card, which begins at an odd multiple of its blocks' alignment.
struct PackedMatrix {
    PackedMatrix(FastRandom &random, DType dtype, std::int32_t rows, std::int32_t columns)
        : bytes(static_cast<std::size_t>(rows) * rowBytes(dtype, columns))
        , values(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns))
    {
        const StoredBlock block = blockOf(dtype);
        fillPackedBlocks(random, dtype, reinterpret_cast<std::byte *>(bytes.data()),
                         bytes.size() / static_cast<std::size_t>(block.bytes), 1);
        const MatrixView view{.data = bytes.data(), .dtype = dtype, .rows = rows, .columns = columns};
        for (std::int64_t r = 0; r < rows; ++r)
            widenRow(view, r, values.data() + r * columns);
        memory = onCard(bytes);
        device = {.data = memory.as(), .rows = rows, .columns = columns, .dtype = dtype};
    }

    /// W x, in double precision.
    [[nodiscard]] std::vector<double> times(const double *x) const
    {
        std::vector<double> y(static_cast<std::size_t>(device.rows));
        for (std::size_t r = 0; r < y.size(); ++r)
            for (std::size_t c = 0; c < static_cast<std::size_t>(device.columns); ++c)
                y[r] += double(values[r * static_cast<std::size_t>(device.columns) + c]) * x[c];
        return y;
    }

    std::vector<std::uint8_t> bytes;
    std::vector<float> values;
    DeviceBuffer memory;
    DeviceMatrix device;
};

class PackedOnCard : public Card, public testing::WithParamInterface<DType> {
protected:
    void SetUp() override
    {
        Card::SetUp();
        if (!IsSkipped())
            stream = std::make_unique<Stream>();
    }

    /// Odd multiples of a block.
    [[nodiscard]] std::vector<std::int32_t> widths() const
    {
        const auto block = static_cast<std::int32_t>(blockOf(GetParam()).elements);
        return {block, 7 * block, 256 * 21};
    }

    FastRandom blocks{7};
    std::mt19937 random{3};
    std::unique_ptr<Stream> stream;
};

/// Of ‖difference‖ / ‖expected‖: about 5e-5 is what activations of 15 bits for every 32 numbers leave.
constexpr double bound = 2e-4;

TEST_P(PackedOnCard, NormalisedTokensAreProjected)
{
    const DecodeKernels kernels(listDevices(nullptr).front(), *stream);
    const DType other = GetParam() == DType::Q8_0 ? DType::Q5_1 : DType::Q8_0;
    for (const std::int32_t columns : widths())
        for (const std::int32_t tokens : {1, 3, 4, 5, 8}) {
            SCOPED_TRACE(testing::Message() << columns << " columns, " << tokens << " tokens");
            const PackedMatrix w[] = {{blocks, GetParam(), 77, columns},
                                      {blocks, other, 30, columns},
                                      {blocks, GetParam(), 201, columns}};
            const auto n = static_cast<std::size_t>(columns);
            const auto count = static_cast<std::size_t>(tokens);
            const auto x = randomFloats(random, count * n);
            const auto norm = randomFloats(random, n);
            const DeviceBuffer input = onCard(x);
            const DeviceBuffer weight = onCard(norm);
            const DeviceBuffer out[] = {poisoned(count * 77 * 4), poisoned(count * 30 * 4),
                                        poisoned(count * 201 * 4)};
            kernels.project({.first = w[0].device,
                             .second = w[1].device,
                             .third = w[2].device,
                             .firstOut = out[0].as<float>(),
                             .secondOut = out[1].as<float>(),
                             .thirdOut = out[2].as<float>(),
                             .x = input.as<float>(),
                             .norm = weight.as<float>(),
                             .epsilon = 1e-6F,
                             .tokens = tokens});
            stream->synchronize();
            for (int i = 0; i < 3; ++i) {
                std::vector<double> expected;
                for (std::size_t t = 0; t < count; ++t) {
                    double squares = 0;
                    for (std::size_t c = 0; c < n; ++c)
                        squares += double(x[t * n + c]) * double(x[t * n + c]);
                    std::vector<double> y;
                    for (std::size_t c = 0; c < n; ++c)
                        y.push_back(double(x[t * n + c]) * double(norm[c])
                                    / std::sqrt(squares / double(n) + 1e-6));
                    const auto row = w[i].times(y.data());
                    expected.insert(expected.end(), row.begin(), row.end());
                }
                EXPECT_LT(relativeError(fromCard<float>(out[i], expected.size()), expected), bound) << i;
            }
        }
}

TEST_P(PackedOnCard, ProductsAreAdded)
{
    const DecodeKernels kernels(listDevices(nullptr).front(), *stream);
    constexpr std::int32_t columns = 256 * 75; // more than a block stages for all eight at once
    const PackedMatrix w(blocks, GetParam(), 64, columns);
    const auto x = randomFloats(random, 8 * columns);
    const auto y = randomFloats(random, 8 * 64);
    const DeviceBuffer input = onCard(x);
    const DeviceBuffer out = onCard(y);
    kernels.project({.first = w.device,
                     .second = {},
                     .firstOut = out.as<float>(),
                     .x = input.as<float>(),
                     .tokens = 8,
                     .add = true});
    stream->synchronize();
    std::vector<double> expected;
    for (std::size_t t = 0; t < 8; ++t) {
        const std::vector<double> token(x.begin() + static_cast<std::ptrdiff_t>(t * columns),
                                        x.begin() + static_cast<std::ptrdiff_t>((t + 1) * columns));
        for (const double v : w.times(token.data()))
            expected.push_back(v + double(y[expected.size()]));
    }
    EXPECT_LT(relativeError(fromCard<float>(out, expected.size()), expected), bound);
}

TEST_P(PackedOnCard, MatricesAndRowsAreWidened)
{
    const PrefillKernels kernels(listDevices(nullptr).front(), *stream);
    for (const std::int32_t columns : widths()) {
        const PackedMatrix w(blocks, GetParam(), 33, columns);
        const DeviceBuffer wide = poisoned(w.values.size() * 2);
        kernels.widen({.data = w.device.data,
                       .bf16 = wide.as(),
                       .stride = static_cast<std::int64_t>(11 * rowBytes(GetParam(), columns)),
                       .matrices = 3,
                       .rows = 11,
                       .columns = columns,
                       .dtype = GetParam()});
        const std::vector<std::int32_t> ids = {32, 0, 17};
        const DeviceBuffer idData = onCard(ids);
        const DeviceBuffer rows = poisoned(ids.size() * static_cast<std::size_t>(columns) * 4);
        kernels.embed({.ids = idData.as<std::int32_t>(), .x = rows.as<float>(), .embedding = w.device}, 3);
        stream->synchronize();
        const std::vector<double> expected(w.values.begin(), w.values.end());
        EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(wide, expected.size())), expected), 3e-3);
        std::vector<double> looked;
        for (const std::int32_t id : ids)
            looked.insert(looked.end(), expected.begin() + id * columns,
                          expected.begin() + (id + 1) * columns);
        EXPECT_LT(relativeError(fromCard<float>(rows, looked.size()), looked), 1e-6);
    }
}

INSTANTIATE_TEST_SUITE_P(All, PackedOnCard, testing::ValuesIn(packedTypes),
                         [](const auto &tested) { return blockOf(tested.param).name; });

} // namespace
} // namespace bathyscope::kernels::cuda
