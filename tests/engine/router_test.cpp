// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/router.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bathyscope {
namespace {

MoeConfig makeConfig(std::int32_t experts, std::int32_t k)
{
    MoeConfig config;
    config.nRoutedExperts = experts;
    config.numExpertsPerTok = k;
    return config;
}

std::vector<ExpertChoice> choose(const MoeConfig &config, const std::vector<float> &logits,
                                 const std::vector<float> &bias = {})
{
    std::vector<ExpertChoice> choices(static_cast<std::size_t>(config.numExpertsPerTok));
    Router(config).choose(logits, bias, choices);
    return choices;
}

float sigmoid(float x)
{
    return 1 / (1 + std::exp(-x));
}

TEST(Router, GreedyTakesTheBestAndReportsThemByNumber)
{
    MoeConfig config = makeConfig(4, 2);
    config.routedScalingFactor = 3;
    const auto choices = choose(config, {0.0F, 2.0F, -1.0F, 3.0F});
    const float sum = 1 + std::exp(2.0F) + std::exp(-1.0F) + std::exp(3.0F);
    EXPECT_EQ(choices[0].expert, 1);
    EXPECT_EQ(choices[1].expert, 3);
    EXPECT_NEAR(choices[0].weight, 3 * std::exp(2.0F) / sum, 1e-6);
    EXPECT_NEAR(choices[1].weight, 3 * std::exp(3.0F) / sum, 1e-6);
}

TEST(Router, BiasDecidesTheChoiceButNotTheWeight)
{
    MoeConfig config = makeConfig(4, 2);
    config.scoring = ScoringFunction::Sigmoid;
    config.topkMethod = TopkMethod::NoauxTc;
    config.normTopkProb = true;
    config.routedScalingFactor = 2.5;
    const auto choices = choose(config, {1.0F, 2.0F, 0.5F, -3.0F}, {0, 0, 0, 5});
    EXPECT_EQ(choices[0].expert, 1);
    EXPECT_EQ(choices[1].expert, 3);
    const float sum = sigmoid(2) + sigmoid(-3);
    EXPECT_NEAR(choices[0].weight, 2.5F * sigmoid(2) / sum, 1e-6);
    EXPECT_NEAR(choices[1].weight, 2.5F * sigmoid(-3) / sum, 1e-6);
}

TEST(Router, V3TakesGroupsByTheSumOfTheirTwoBest)
{
    MoeConfig config = makeConfig(6, 1);
    config.scoring = ScoringFunction::Sigmoid;
    config.topkMethod = TopkMethod::NoauxTc;
    config.nGroup = 2;
    config.topkGroup = 1;
    // The best expert is in the first group, the better pair in the second.
    EXPECT_EQ(choose(config, {3.0F, -9, -9, 1.5F, 1.5F, -9}, std::vector<float>(6)).front().expert, 3);
}

TEST(Router, V2TakesGroupsByTheirBest)
{
    MoeConfig config = makeConfig(6, 1);
    config.topkMethod = TopkMethod::GroupLimitedGreedy;
    config.nGroup = 2;
    config.topkGroup = 1;
    EXPECT_EQ(choose(config, {3.0F, -9, -9, 1.5F, 1.5F, -9}).front().expert, 0);
}

TEST(Router, MaskedGroupsAreNeverChosenEvenWithNegativeBias)
{
    MoeConfig config = makeConfig(4, 2);
    config.scoring = ScoringFunction::Sigmoid;
    config.topkMethod = TopkMethod::NoauxTc;
    config.nGroup = 2;
    config.topkGroup = 1;
    // All scores with bias are negative: a masked 0 would win against them.
    const auto choices = choose(config, {0, 0, 0, 0}, {-2, -3, -4, -5});
    EXPECT_EQ(choices[0].expert, 0);
    EXPECT_EQ(choices[1].expert, 1);
}

TEST(Router, V2DoesNotScaleWhatItNormalised)
{
    MoeConfig config = makeConfig(3, 2);
    config.normTopkProb = true;
    config.scaleNormalised = false;
    config.routedScalingFactor = 16;
    const auto choices = choose(config, {1, 2, 3});
    EXPECT_NEAR(choices[0].weight + choices[1].weight, 1, 1e-6);
}

} // namespace
} // namespace bathyscope
