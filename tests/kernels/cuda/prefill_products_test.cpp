// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tensor-core products against products in double precision, at sizes that fill no tile.
#include "kernels/cuda/prefill_kernels.h"
#include "tests/kernels/cuda/card.h"
#include "tests/kernels/cuda/device_arrays.h"
#include "tests/kernels/random_matrix.h"

#include <numeric>

namespace bathyscope::kernels::cuda {
namespace {

double siluOf(double v)
{
    return v / (1 + std::exp(-v));
}

/// Activations in bf16, and quantised where `fp8`; `values` are what the product really reads.
struct Activations {
    std::int64_t rows;
    std::int64_t columns;
    std::vector<double> values;
    DeviceBuffer bf16;
    DeviceBuffer e4m3;
    DeviceBuffer scales;

    Activations(std::mt19937 &random, std::int64_t m, std::int64_t k)
        : rows(m)
        , columns(k)
        , bf16(onCard(toBf16(randomFloats(random, static_cast<std::size_t>(m * k)))))
    {
        for (const float v : fromBf16(fromCard<std::uint16_t>(bf16, static_cast<std::size_t>(m * k))))
            values.push_back(double(v));
    }

    void quantise(const PrefillKernels &kernels, const Stream &stream)
    {
        const std::int64_t blocks = (columns + 127) / 128;
        e4m3 = poisoned(static_cast<std::size_t>(rows * columns));
        scales = poisoned(static_cast<std::size_t>(rows * blocks) * sizeof(float));
        kernels.quantiseRows({.bf16 = bf16.as(),
                              .e4m3 = e4m3.as<std::uint8_t>(),
                              .scales = scales.as<float>(),
                              .stride = columns,
                              .n = static_cast<std::int32_t>(columns),
                              .scaleStride = static_cast<std::int32_t>(rows)},
                             static_cast<std::int32_t>(rows));
        stream.synchronize();
        const auto bytes = fromCard<std::uint8_t>(e4m3, values.size());
        const auto units = fromCard<float>(scales, static_cast<std::size_t>(rows * blocks));
        for (std::size_t i = 0; i < values.size(); ++i) {
            const auto row = i / static_cast<std::size_t>(columns);
            const auto block = i % static_cast<std::size_t>(columns) / 128;
            const float unit = units[block * static_cast<std::size_t>(rows) + row];
            const double quantised = e4m3Value(bytes[i]) * double(unit);
            // Half a step of three mantissa bits, or of the smallest subnormal.
            EXPECT_NEAR(quantised, values[i],
                        std::max(std::abs(values[i]) / 16, double(unit) / 1024) * 1.0001);
            values[i] = quantised;
        }
    }
};

class Products : public Card {
protected:
    void SetUp() override
    {
        Card::SetUp();
        if (IsSkipped())
            return;
        stream = std::make_unique<Stream>();
        kernels = std::make_unique<PrefillKernels>(listDevices(nullptr)[0], *stream);
    }

    /// a[row] · W[n] in double precision.
    static double dot(const Activations &a, std::int64_t row, const RandomMatrix &w, std::int64_t n)
    {
        double sum = 0;
        for (std::int64_t c = 0; c < a.columns; ++c)
            sum += a.values[static_cast<std::size_t>(row * a.columns + c)]
                * w.values[static_cast<std::size_t>(n * a.columns + c)];
        return sum;
    }

    static GemmParams params(const Activations &a, bool fp8, const RandomMatrix &w, std::int64_t n)
    {
        GemmParams p;
        p.a = fp8 ? a.e4m3.as() : a.bf16.as();
        p.aScales = a.scales.as<float>();
        p.aScaleStride = static_cast<std::int32_t>(a.rows);
        p.aStride = a.columns;
        p.m = static_cast<std::int32_t>(a.rows);
        p.n = static_cast<std::int32_t>(n);
        p.k = static_cast<std::int32_t>(a.columns);
        p.scaleColumns = static_cast<std::int32_t>(w.view.scaleColumns);
        p.cStride = n;
        return p;
    }

    void run(bool fp8, DType dtype, Epilogue epilogue, const GemmParams &p, std::int64_t rows)
    {
        if (fp8)
            kernels->fp8Gemm(epilogue, p, static_cast<std::int32_t>(rows));
        else
            kernels->gemm(dtype, epilogue, p, static_cast<std::int32_t>(rows));
        stream->synchronize();
    }

    void checkPlain(bool fp8, DType dtype, std::int64_t m, std::int64_t n, std::int64_t k);
    void checkGated(bool fp8, DType dtype, std::int64_t m, std::int64_t n, std::int64_t k);
    void checkGroups(bool fp8, DType dtype, const std::vector<int> &counts, std::int64_t n, std::int64_t k);

    std::unique_ptr<Stream> stream;
    std::unique_ptr<PrefillKernels> kernels;
    std::mt19937 random{7};
};

/// What rounding weights to bf16 costs, where they are not bf16 already; e4m3 products on Hopper add in
/// about 14 bits.
double tolerance(bool fp8, DType dtype)
{
    if (fp8)
        return 1e-3;
    return dtype == DType::BF16 || dtype == DType::F8E4M3 ? 1e-5 : 4e-3;
}

void Products::checkPlain(bool fp8, DType dtype, std::int64_t m, std::int64_t n, std::int64_t k)
{
    Activations a(random, m, k);
    if (fp8)
        a.quantise(*kernels, *stream);
    const RandomMatrix w(random, dtype, n, k);
    const DeviceBuffer data = onCard(w.bytes);
    const DeviceBuffer scales = onCard(w.scales);
    const std::vector<float> before = randomFloats(random, static_cast<std::size_t>(m * n));
    std::vector<double> expected;
    for (std::int64_t i = 0; i < m * n; ++i)
        expected.push_back(dot(a, i / n, w, i % n));
    GemmParams p = params(a, fp8, w, n);
    p.weights = {data.as(), scales.as<float>()};

    const DeviceBuffer f32 = poisoned(before.size() * 4);
    p.c = f32.as();
    run(fp8, dtype, Epilogue::F32, p, m);
    EXPECT_LT(relativeError(fromCard<float>(f32, before.size()), expected), tolerance(fp8, dtype));

    const DeviceBuffer bf16 = poisoned(before.size() * 2);
    p.c = bf16.as();
    run(fp8, dtype, Epilogue::Bf16, p, m);
    EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(bf16, before.size())), expected), 5e-3);

    const DeviceBuffer sum = onCard(before);
    p.c = sum.as();
    run(fp8, dtype, Epilogue::AddF32, p, m);
    for (std::size_t i = 0; i < before.size(); ++i)
        expected[i] += double(before[i]);
    EXPECT_LT(relativeError(fromCard<float>(sum, before.size()), expected), tolerance(fp8, dtype));
}

void Products::checkGated(bool fp8, DType dtype, std::int64_t m, std::int64_t n, std::int64_t k)
{
    Activations a(random, m, k);
    if (fp8)
        a.quantise(*kernels, *stream);
    const RandomMatrix gate(random, dtype, n, k);
    const RandomMatrix up(random, dtype, n, k);
    const DeviceBuffer gateData = onCard(gate.bytes);
    const DeviceBuffer gateScales = onCard(gate.scales);
    const DeviceBuffer upData = onCard(up.bytes);
    const DeviceBuffer upScales = onCard(up.scales);
    std::vector<double> expected;
    for (std::int64_t i = 0; i < m * n; ++i)
        expected.push_back(siluOf(dot(a, i / n, gate, i % n)) * dot(a, i / n, up, i % n));
    const DeviceBuffer out = poisoned(expected.size() * 2);
    const DeviceBuffer outScales = poisoned(static_cast<std::size_t>(m * ((n + 127) / 128)) * 4);
    GemmParams p = params(a, fp8, gate, n);
    p.weights = {gateData.as(), gateScales.as<float>()};
    p.up = {upData.as(), upScales.as<float>()};
    p.c = out.as();
    p.cScales = outScales.as<float>();
    p.cScaleStride = static_cast<std::int32_t>(m);
    run(fp8, dtype, Epilogue::Gated, p, m);
    if (!fp8) {
        EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(out, expected.size())), expected), 1e-2);
        return;
    }
    const auto bytes = fromCard<std::uint8_t>(out, expected.size());
    const auto units = fromCard<float>(outScales, static_cast<std::size_t>(m * ((n + 127) / 128)));
    std::vector<double> found;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto block = i % static_cast<std::size_t>(n) / 128;
        found.push_back(
            e4m3Value(bytes[i])
            * double(units[block * static_cast<std::size_t>(m) + i / static_cast<std::size_t>(n)]));
    }
    EXPECT_LT(relativeError(found, expected), 4e-2);
}

/// Experts with `counts` rows each, of tokens in a random order.
void Products::checkGroups(bool fp8, DType dtype, const std::vector<int> &counts, std::int64_t n,
                           std::int64_t k)
{
    const std::int64_t rows = std::accumulate(counts.begin(), counts.end(), 0);
    Activations a(random, 50, k);
    if (fp8)
        a.quantise(*kernels, *stream);
    std::vector<std::uint8_t> bytes;
    std::vector<float> scales;
    std::vector<RandomMatrix> experts;
    std::vector<std::int32_t> groupRows{0};
    std::vector<std::int32_t> groupTiles{0};
    for (const int count : counts) {
        const RandomMatrix &w = experts.emplace_back(random, dtype, n, k);
        bytes.insert(bytes.end(), w.bytes.begin(), w.bytes.end());
        scales.insert(scales.end(), w.scales.begin(), w.scales.end());
        groupRows.push_back(groupRows.back() + count);
        groupTiles.push_back(groupTiles.back() + (count + gemmTile - 1) / gemmTile);
    }
    std::vector<std::int32_t> tokens;
    std::vector<double> expected;
    for (std::size_t e = 0; e < counts.size(); ++e)
        for (int i = 0; i < counts[e]; ++i) {
            tokens.push_back(static_cast<std::int32_t>(random() % 50));
            for (std::int64_t c = 0; c < n; ++c)
                expected.push_back(dot(a, tokens.back(), experts[e], c));
        }
    const DeviceBuffer data = onCard(bytes);
    const DeviceBuffer scaleData = onCard(scales);
    const DeviceBuffer gather = onCard(tokens);
    const DeviceBuffer rowData = onCard(groupRows);
    const DeviceBuffer tileData = onCard(groupTiles);
    const DeviceBuffer out = poisoned(expected.size() * 4);
    GemmParams p = params(a, fp8, experts[0], n);
    p.m = 0;
    p.weights = {data.as(), scaleData.as<float>()};
    p.groupBytes = static_cast<std::int64_t>(experts[0].bytes.size());
    p.groupScales = static_cast<std::int64_t>(experts[0].scales.size());
    p.groups = static_cast<std::int32_t>(counts.size());
    p.gather = gather.as<std::int32_t>();
    const DeviceBuffer rowsOfA = poisoned(static_cast<std::size_t>(rows * k));
    const DeviceBuffer scalesOfA = poisoned(static_cast<std::size_t>(rows * ((k + 127) / 128)) * 4);
    if (fp8) {
        kernels->gatherRows({.from = a.e4m3.as<std::uint8_t>(),
                             .fromScales = a.scales.as<float>(),
                             .rows = gather.as<std::int32_t>(),
                             .to = rowsOfA.as<std::uint8_t>(),
                             .toScales = scalesOfA.as<float>(),
                             .n = static_cast<std::int32_t>(k),
                             .fromScaleStride = p.aScaleStride,
                             .toScaleStride = static_cast<std::int32_t>(rows)},
                            static_cast<std::int32_t>(rows));
        p.a = rowsOfA.as();
        p.aScales = scalesOfA.as<float>();
        p.aScaleStride = static_cast<std::int32_t>(rows);
    }
    p.groupRows = rowData.as<std::int32_t>();
    p.groupTiles = tileData.as<std::int32_t>();
    p.c = out.as();
    run(fp8, dtype, Epilogue::F32, p, rows);
    EXPECT_LT(relativeError(fromCard<float>(out, expected.size()), expected), tolerance(fp8, dtype));
}

TEST_F(Products, OfStoredWeightsOfEveryType)
{
    for (const DType dtype : {DType::F32, DType::F16, DType::BF16, DType::F8E4M3}) {
        SCOPED_TRACE(int(dtype));
        checkPlain(false, dtype, 1, 24, 40);
        checkPlain(false, dtype, 131, 200, 144);
        checkPlain(false, dtype, 300, 129, 264);
        checkGated(false, dtype, 77, 40, 128);
        checkGated(false, dtype, 140, 168, 200);
        checkGroups(false, dtype, {3, 0, 140, 1, 0}, 136, 96);
    }
}

TEST_F(Products, OfAnOddNumberOfColumns)
{
    // Rows of a begin at multiples of 16 bytes: as an odd number of columns inside wider rows.
    Activations a(random, 20, 40);
    const RandomMatrix w(random, DType::BF16, 19, 37);
    const DeviceBuffer data = onCard(w.bytes);
    const DeviceBuffer out = poisoned(20 * 19 * 4);
    GemmParams p = params(a, false, w, 19);
    p.k = 37;
    p.weights = {data.as(), nullptr};
    p.c = out.as();
    run(false, DType::BF16, Epilogue::F32, p, 20);
    std::vector<double> expected;
    for (std::size_t i = 0; i < 20 * 19; ++i) {
        double sum = 0;
        for (std::size_t c = 0; c < 37; ++c)
            sum += a.values[i / 19 * 40 + c] * w.values[i % 19 * 37 + c];
        expected.push_back(sum);
    }
    EXPECT_LT(relativeError(fromCard<float>(out, expected.size()), expected), 1e-5);
}

TEST_F(Products, OfRowsOfALargerMatrixUseItsScales)
{
    const Activations a(random, 30, 256);
    const RandomMatrix w(random, DType::F8E4M3, 320, 256);
    const DeviceBuffer data = onCard(w.bytes);
    const DeviceBuffer scales = onCard(w.scales);
    const DeviceBuffer out = poisoned(30 * 100 * 4);
    GemmParams p = params(a, false, w, 100);
    p.weights = {data.as<std::uint8_t>() + 72 * 256, scales.as<float>()};
    p.firstRow = 72;
    p.c = out.as();
    run(false, DType::F8E4M3, Epilogue::F32, p, 30);
    std::vector<double> expected;
    for (std::int64_t i = 0; i < 30 * 100; ++i)
        expected.push_back(dot(a, i / 100, w, 72 + i % 100));
    EXPECT_LT(relativeError(fromCard<float>(out, expected.size()), expected), 1e-5);
}

TEST_F(Products, OfQuantisedActivationsOnHopper)
{
    if (!kernels->hasFp8Gemm())
        GTEST_SKIP() << "not a card of compute capability 9.0";
    checkPlain(true, DType::F8E4M3, 1, 24, 48);
    checkPlain(true, DType::F8E4M3, 131, 200, 144);
    checkPlain(true, DType::F8E4M3, 300, 520, 1040);
    checkGated(true, DType::F8E4M3, 77, 48, 128);
    checkGated(true, DType::F8E4M3, 200, 304, 720);
    checkGroups(true, DType::F8E4M3, {3, 0, 140, 1, 0}, 136, 96);
    checkGroups(true, DType::F8E4M3, {300, 7, 1, 128, 129}, 300, 656);
}

} // namespace
} // namespace bathyscope::kernels::cuda
