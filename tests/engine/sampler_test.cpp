// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace bathyscope {
namespace {

/// log(p) of 0.5, 0.25, 0.15, 0.1
const std::vector<float> logits = {std::log(0.1F), std::log(0.5F), std::log(0.15F), std::log(0.25F)};

SamplingParameters withSeed(std::uint64_t seed = 1)
{
    SamplingParameters parameters;
    parameters.seed = seed;
    return parameters;
}

std::map<TokenId, int> drawMany(const SamplingParameters &parameters, int count = 20000)
{
    Sampler sampler(parameters);
    std::map<TokenId, int> counts;
    for (int i = 0; i < count; ++i)
        ++counts[sampler.choose(logits)];
    return counts;
}

TEST(Sampler, DrawsFromTheDistribution)
{
    const auto counts = drawMany(withSeed());
    EXPECT_NEAR(counts.at(1) / 20000.0, 0.5, 0.02);
    EXPECT_NEAR(counts.at(3) / 20000.0, 0.25, 0.02);
    EXPECT_NEAR(counts.at(2) / 20000.0, 0.15, 0.02);
    EXPECT_NEAR(counts.at(0) / 20000.0, 0.1, 0.02);
}

TEST(Sampler, TemperatureZeroIsGreedyAndTheLowerIdWinsATie)
{
    SamplingParameters parameters = withSeed();
    parameters.temperature = 0;
    EXPECT_EQ(drawMany(parameters).size(), 1U);
    Sampler sampler(parameters);
    EXPECT_EQ(sampler.choose(std::vector<float>{1, 3, 3}), 1);
}

TEST(Sampler, TemperatureFlattens)
{
    SamplingParameters parameters = withSeed();
    parameters.temperature = 2;
    const double sum = std::sqrt(0.1) + std::sqrt(0.5) + std::sqrt(0.15) + std::sqrt(0.25);
    EXPECT_NEAR(drawMany(parameters).at(1) / 20000.0, std::sqrt(0.5) / sum, 0.02);
}

TEST(Sampler, StagesRemoveTheUnlikely)
{
    SamplingParameters topK = withSeed();
    topK.topK = 2;
    EXPECT_EQ(drawMany(topK).size(), 2U);
    SamplingParameters topP = withSeed();
    topP.topP = 0.6F; // 0.5 is not enough, 0.5 + 0.25 is
    EXPECT_EQ(drawMany(topP).size(), 2U);
    topP.topP = 0.0F;
    EXPECT_EQ(drawMany(topP).size(), 1U) << "the best one always stays";
    SamplingParameters minP = withSeed();
    minP.minP = 0.25F; // of 0.5: 0.1 goes
    EXPECT_EQ(drawMany(minP).size(), 3U);
}

TEST(Sampler, TheSameSeedGivesTheSameTokens)
{
    Sampler a(withSeed(7));
    Sampler b(withSeed(7));
    Sampler c(withSeed(8));
    int different = 0;
    for (int i = 0; i < 100; ++i) {
        const TokenId id = a.choose(logits);
        EXPECT_EQ(id, b.choose(logits));
        different += id != c.choose(logits);
    }
    EXPECT_GT(different, 10);
    EXPECT_EQ(a.seed(), 7U);
}

TEST(Sampler, RepetitionPenaltyWeakensWhatWasSeen)
{
    SamplingParameters parameters = withSeed();
    parameters.temperature = 0;
    parameters.repetitionPenalty = 2;
    Sampler sampler(parameters);
    const std::vector<float> mixed = {1.0F, 1.5F, -1.0F};
    EXPECT_EQ(sampler.choose(mixed), 1);
    const TokenId seen[] = {1, 500};
    sampler.observe(seen);
    EXPECT_EQ(sampler.choose(mixed), 0) << "1.5 / 2 is below 1";
}

TEST(Distribution, TopAndRestAreTheModels)
{
    const Distribution d = describeDistribution(logits, 2);
    ASSERT_EQ(d.top.size(), 2U);
    EXPECT_EQ(d.top[0].id, 1);
    EXPECT_EQ(d.top[1].id, 3);
    EXPECT_NEAR(std::exp(d.top[0].logProb), 0.5, 1e-5);
    EXPECT_NEAR(d.restMass, 0.25, 1e-5);
    EXPECT_EQ(describeDistribution(logits, 100).top.size(), 4U);
    EXPECT_EQ(describeDistribution(logits, 100).restMass, 0);
    EXPECT_EQ(describeDistribution(logits, 0).restMass, 1);
}

TEST(Distribution, TheRestIsExactWhereTheModelIsNearlyCertain)
{
    const Distribution d = describeDistribution(std::vector<float>{-50.0F, 0.0F, -49.0F}, 1);
    EXPECT_NEAR(d.restMass / (std::exp(-50.0) + std::exp(-49.0)), 1, 1e-4);
}

std::vector<Candidate> topOf(const std::vector<float> &values)
{
    return describeDistribution(values, static_cast<std::int32_t>(values.size())).top;
}

TEST(SamplerOutcome, NamesTheStageThatRemovedACandidate)
{
    SamplingParameters parameters = withSeed();
    parameters.topK = 3; // 0.1 goes
    parameters.topP = 0.8F; // of 0.9: 0.556, 0.278, 0.167 => the third goes
    parameters.minP = 0.6F; // 0.278 < 0.6 * 0.556 goes
    const auto outcome = Sampler(parameters).inspect(logits, topOf(logits));
    ASSERT_EQ(outcome.candidates.size(), 4U);
    EXPECT_EQ(outcome.candidates[0], (SampledCandidate{1, {}}));
    EXPECT_EQ(outcome.candidates[1], (SampledCandidate{0, SamplerStage::MinP}));
    EXPECT_EQ(outcome.candidates[2], (SampledCandidate{0, SamplerStage::TopP}));
    EXPECT_EQ(outcome.candidates[3], (SampledCandidate{0, SamplerStage::TopK}));
    EXPECT_EQ(outcome.kept, 1);
    EXPECT_EQ(outcome.removed, (std::array<std::int32_t, samplerStages>{0, 1, 1, 1}));
}

TEST(SamplerOutcome, ProbabilitiesAreThoseThatAreDrawn)
{
    SamplingParameters parameters = withSeed();
    parameters.temperature = 0.7F;
    parameters.topP = 0.9F;
    const auto top = topOf(logits);
    const auto outcome = Sampler(parameters).inspect(logits, top);
    const auto counts = drawMany(parameters);
    float sum = 0;
    for (std::size_t i = 0; i < top.size(); ++i) {
        const auto drawn = counts.find(top[i].id);
        const double share = drawn == counts.end() ? 0 : drawn->second / 20000.0;
        EXPECT_NEAR(outcome.candidates[i].probability, share, 0.02);
        EXPECT_EQ(outcome.candidates[i].removedBy.has_value(), share == 0);
        sum += outcome.candidates[i].probability;
    }
    EXPECT_NEAR(sum, 1, 1e-6);
    EXPECT_EQ(outcome.kept, static_cast<std::int32_t>(counts.size()));
}

TEST(SamplerOutcome, TemperatureZeroKeepsTheBestAfterThePenalty)
{
    SamplingParameters parameters = withSeed();
    parameters.temperature = 0;
    parameters.repetitionPenalty = 10;
    Sampler sampler(parameters);
    sampler.observe(std::vector<TokenId>{1});
    const auto outcome = sampler.inspect(logits, topOf(logits));
    EXPECT_EQ(outcome.candidates[0], (SampledCandidate{0, SamplerStage::Greedy}));
    EXPECT_EQ(outcome.candidates[1], (SampledCandidate{1, {}}));
    EXPECT_EQ(outcome.kept, 1);
    EXPECT_EQ(outcome.removed[0], 3);
}

TEST(SamplerOutcome, WhatUnderflowsWasRemovedByNoStage)
{
    const std::vector<float> sharp = {0, 500};
    const auto outcome = Sampler(withSeed()).inspect(sharp, topOf(sharp));
    EXPECT_EQ(outcome.candidates[1], SampledCandidate());
    EXPECT_EQ(outcome.kept, 1);
}

TEST(DistributionOrder, RankAndEntropy)
{
    const std::vector<float> ties = {1, 3, 3, 2};
    EXPECT_EQ(rankOf(ties, 1), 1);
    EXPECT_EQ(rankOf(ties, 2), 2);
    EXPECT_EQ(rankOf(ties, 3), 3);
    EXPECT_EQ(rankOf(ties, 0), 4);
    EXPECT_NEAR(entropyOf(std::vector<float>(8, 0.0F), std::log(8.0F)), 3, 1e-6);
    EXPECT_NEAR(entropyOf(logits, 0), 0.5 + 0.5 + 0.15 * 2.737 + 0.1 * 3.3219, 1e-3);
}

} // namespace
} // namespace bathyscope
