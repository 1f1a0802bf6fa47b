// SPDX-License-Identifier: GPL-3.0-or-later
//
// Choices from candidates against those from all logits, which sampler_test.cpp compares with probabilities.
#include "engine/session/sampler.h"
#include "tests/engine/choice_cases.h"

#include <gtest/gtest.h>

#include <numeric>

namespace bathyscope {
namespace {

/// By sorting everything, in double precision.
void expectDistribution(const NamedLogits &all, const Distribution &found, std::size_t count)
{
    const std::vector<float> &logits = all.logits;
    std::vector<std::size_t> order(logits.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
    ASSERT_EQ(found.top.size(), std::min(count, logits.size())) << all.name;
    double top = 0;
    double rest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        (i < found.top.size() ? top : rest) += std::exp(double(logits[order[i]]));
        if (i < found.top.size()) {
            ASSERT_EQ(found.top[i].id, static_cast<TokenId>(order[i])) << all.name << ", rank " << i;
        }
    }
    EXPECT_NEAR(found.logSumExp, std::log(top + rest), 1e-4) << all.name;
    EXPECT_NEAR(found.restMass, rest / (top + rest), 1e-4 * rest / (top + rest)) << all.name;
}

TEST(TokenChoice, TellsTheBestOfAllTokens)
{
    for (const NamedLogits &all : choiceLogits())
        for (const std::int32_t count : {1, 20, 1000})
            expectDistribution(all, chooseToken(all.logits, {.candidates = count}).distribution,
                               static_cast<std::size_t>(count));
}

TEST(TokenChoice, FewerCandidatesLeaveTheirMassInTheRest)
{
    const NamedLogits all = choiceLogits()[5];
    Distribution distribution = describeDistribution(all.logits, 64);
    distribution.keepBest(20);
    expectDistribution(all, distribution, 20);
}

/// The sampler draws at the same place, whether it is asked before or after the step.
TEST(TokenChoice, DrawsWhatTheSamplerDrawsFromAllLogits)
{
    std::size_t told = 0;
    std::size_t asked = 0;
    for (const NamedLogits &all : choiceLogits()) {
        if (all.logits.size() > 40000)
            continue; // as slow as large
        for (const ChoiceRequest &settings : choiceRequests()) {
            SamplingParameters parameters;
            parameters.temperature = settings.temperature;
            parameters.topK = settings.topK;
            parameters.topP = settings.topP;
            parameters.minP = settings.minP;
            parameters.seed = asked;
            Sampler sampler(parameters);
            Sampler untold(parameters);
            const auto request = sampler.request(settings.candidates);
            ASSERT_TRUE(request);
            const TokenChoice choice = chooseToken(all.logits, *request);
            const TokenId expected = untold.choose(all.logits);
            ++asked;
            if (choice.token < 0) {
                EXPECT_EQ(sampler.choose(all.logits), expected) << describe(all, *request);
                continue;
            }
            ++told;
            EXPECT_EQ(choice.token, expected) << describe(all, *request);
            EXPECT_FLOAT_EQ(choice.logProb,
                            all.logits[static_cast<std::size_t>(choice.token)]
                                - choice.distribution.logSumExp);
        }
    }
    EXPECT_GT(told, asked / 2);
    EXPECT_LT(told, asked);
}

TEST(TokenChoice, CandidatesThatCannotTellSaySo)
{
    const std::vector<float> logits = {std::log(0.4F), std::log(0.3F), std::log(0.2F), std::log(0.1F)};
    const auto token = [&logits](const ChoiceRequest &request) { return chooseToken(logits, request).token; };
    EXPECT_EQ(token({.candidates = 2, .temperature = 1, .uniform = 0.69}), 1);
    EXPECT_EQ(token({.candidates = 2, .temperature = 1, .uniform = 0.71}), -1) << "in the mass of the others";
    EXPECT_EQ(token({.candidates = 4, .temperature = 1, .uniform = 0.71}), 2);
    EXPECT_EQ(token({.candidates = 2, .temperature = 1, .topP = 0.6F, .uniform = 0.99}), 1);
    EXPECT_EQ(token({.candidates = 2, .temperature = 1, .topP = 0.8F, .uniform = 0.1}), -1)
        << "top-p takes a third";
    EXPECT_EQ(token({.candidates = 2, .temperature = 1, .minP = 0.7F, .uniform = 0.1}), -1)
        << "the third may pass min-p";
    EXPECT_EQ(token({.candidates = 3, .temperature = 1, .minP = 0.7F, .uniform = 0.99}), 1);
    EXPECT_EQ(token({.candidates = 2, .temperature = 1, .topK = 2, .uniform = 0.1}), -1)
        << "a third may tie with the second";
    EXPECT_EQ(token({.candidates = 3, .temperature = 1, .topK = 2, .uniform = 0.99}), 1);
}

TEST(TokenChoice, SettingsThatNeedAllLogitsAskForThem)
{
    SamplingParameters penalty;
    penalty.repetitionPenalty = 1.1F;
    EXPECT_FALSE(Sampler(penalty).request(20));
    SamplingParameters wide;
    wide.topK = maxChoiceCandidates;
    EXPECT_FALSE(Sampler(wide).request(20));
    wide.topK = maxChoiceCandidates - 1;
    EXPECT_EQ(Sampler(wide).request(20)->candidates, maxChoiceCandidates);
    EXPECT_FALSE(Sampler({}).request(maxChoiceCandidates + 1));
}

} // namespace
} // namespace bathyscope
