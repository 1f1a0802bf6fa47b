// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernels at the end of a step against the CPU's choice.
#include "kernels/cuda/choose_kernels.h"
#include "kernels/cuda/decode_params.h"
#include "tests/engine/choice_cases.h"
#include "tests/kernels/cuda/card.h"
#include "tests/kernels/cuda/device_arrays.h"

#include <gtest/gtest.h>

namespace bathyscope {
namespace {

using namespace kernels::cuda;

class CudaChoice : public Card {
protected:
    void SetUp() override
    {
        Card::SetUp();
        if (!IsSkipped())
            kernels.emplace(listDevices(nullptr).front(), stream.emplace());
    }

    const ChooseResult &choose(const std::vector<float> &logits, const ChoiceRequest &request)
    {
        const DeviceBuffer onDevice = onCard(logits);
        const std::vector<ChooseSettings> settings = {{.candidates = request.candidates,
                                                       .temperature = request.temperature,
                                                       .topK = request.topK,
                                                       .topP = request.topP,
                                                       .minP = request.minP,
                                                       .uniform = request.uniform}};
        const DeviceBuffer settingsOnDevice = onCard(settings);
        constexpr std::size_t bytes = chooseSlices * sizeof(float);
        const DeviceBuffer maxima = poisoned(bytes);
        const DeviceBuffer sums = poisoned(bytes);
        const DeviceBuffer tempered = poisoned(bytes);
        std::fill_n(result.as<std::uint8_t>(), result.size(), std::uint8_t(0xFF));
        kernels->choose({.settings = settingsOnDevice.as<ChooseSettings>(),
                         .logits = onDevice.as<float>(),
                         .maxima = maxima.as<float>(),
                         .sums = sums.as<float>(),
                         .tempered = tempered.as<float>(),
                         .result = result.as<ChooseResult>(),
                         .trace = trace.as<std::uint64_t>(),
                         .traceOut = traceOut.as<std::uint64_t>(),
                         .traceWords = static_cast<std::int32_t>(traced.size()),
                         .vocabulary = static_cast<std::int32_t>(logits.size())});
        stream->synchronize();
        return *result.as<ChooseResult>();
    }

    std::optional<Stream> stream;
    std::optional<ChooseKernels> kernels;
    const std::vector<std::uint64_t> traced = std::vector<std::uint64_t>(1500, 0x123456789ABCDEF0U);
    DeviceBuffer trace;
    PinnedBuffer traceOut;
    PinnedBuffer result;
};

TEST_F(CudaChoice, IsTheCpus)
{
    result = PinnedBuffer(sizeof(ChooseResult));
    traceOut = PinnedBuffer(traced.size() * sizeof(std::uint64_t));
    trace = onCard(traced);
    int others = 0; // at a border between two tokens float32 sums may fall on either side
    std::size_t tooMany = 0;
    for (const NamedLogits &all : choiceLogits()) {
        for (const ChoiceRequest &request : choiceRequests()) {
            const TokenChoice expected = chooseToken(all.logits, request);
            const ChooseResult &found = choose(all.logits, request);
            const std::vector<Candidate> &top = expected.distribution.top;
            if (found.count == 0) {
                ++tooMany;
                continue;
            }
            ASSERT_EQ(found.count, static_cast<std::int32_t>(top.size())) << describe(all, request);
            for (std::size_t i = 0; i < top.size(); ++i) {
                ASSERT_EQ(found.best[i].id, top[i].id) << describe(all, request) << ", rank " << i;
                ASSERT_EQ(found.best[i].logit, all.logits[static_cast<std::size_t>(top[i].id)]);
            }
            ASSERT_NEAR(found.logSumExp, expected.distribution.logSumExp, 1e-4) << describe(all, request);
            ASSERT_NEAR(found.restMass, expected.distribution.restMass, 1e-4 * expected.distribution.restMass)
                << describe(all, request);
            ASSERT_LT(found.drawn, found.count);
            others += (found.drawn < 0 ? -1 : found.best[found.drawn].id) != expected.token;
        }
    }
    EXPECT_LE(others, 2);
    EXPECT_EQ(tooMany, choiceRequests().size()) << "only where 5,000 are alike";
    EXPECT_TRUE(std::equal(traced.begin(), traced.end(), traceOut.as<std::uint64_t>()));
}

} // namespace
} // namespace bathyscope
