// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/cublaslt.h"
#include "tests/kernels/cuda/card.h"
#include "tests/kernels/cuda/device_arrays.h"
#include "tests/kernels/random_matrix.h"

namespace bathyscope::kernels::cuda {
namespace {

class CublasLtProducts : public Card {
protected:
    void SetUp() override
    {
        Card::SetUp();
        if (IsSkipped())
            return;
        std::string why;
        library = CublasLt::load(&why);
        if (!library)
            GTEST_SKIP() << why;
    }

    std::unique_ptr<CublasLt> library;
};

TEST_F(CublasLtProducts, InBothTypesAndOntoASum)
{
    std::mt19937 random(3);
    const Stream stream;
    const int m = 37;
    const int n = 72;
    const int k = 104;
    const int stride = 112; // of a: rows inside wider ones
    const auto a = toBf16(randomFloats(random, m * stride));
    const RandomMatrix w(random, DType::BF16, n, k);
    std::vector<double> expected;
    for (std::size_t i = 0; i < m * n; ++i) {
        double sum = 0;
        for (std::size_t c = 0; c < k; ++c)
            sum += double(fromBf16(a[i / n * stride + c])) * w.values[i % n * k + c];
        expected.push_back(sum);
    }
    const auto before = randomFloats(random, m * n);
    const DeviceBuffer aData = onCard(a);
    const DeviceBuffer wData = onCard(w.bytes);
    const DeviceBuffer f32 = onCard(before);
    const DeviceBuffer bf16 = poisoned(m * n * 2);
    Bf16Product p{.a = aData.as(),
                  .weights = wData.as(),
                  .c = bf16.as(),
                  .aStride = stride,
                  .cStride = n,
                  .m = m,
                  .n = n,
                  .k = k};
    ASSERT_TRUE(library->multiply(p, stream));
    p.c = f32.as();
    p.f32 = true;
    p.accumulate = true;
    ASSERT_TRUE(library->multiply(p, stream));
    stream.synchronize();
    EXPECT_LT(relativeError(fromBf16(fromCard<std::uint16_t>(bf16, expected.size())), expected), 4e-3);
    for (std::size_t i = 0; i < expected.size(); ++i)
        expected[i] += double(before[i]);
    EXPECT_LT(relativeError(fromCard<float>(f32, expected.size()), expected), 1e-5);
}

} // namespace
} // namespace bathyscope::kernels::cuda
