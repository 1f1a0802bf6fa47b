// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a router saw, against the choices of the public implementation.
#include "engine/checkpoint/checkpoint.h"
#include "engine/executor/cpu_executor.h"
#include "engine/executor/router.h"
#include "tests/engine/reference_data.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace bathyscope {
namespace {

class RoutingTap : public testing::TestWithParam<std::string> {
protected:
    const std::string directory = testData + "/" + GetParam();
    const SafetensorsFile reference{directory + "/reference.safetensors"};
    const ModelConfig config = loadModelConfig(directory + "/config.json");
    const std::unique_ptr<Executor> executor =
        createCpuExecutor(config, std::make_shared<Checkpoint>(directory), 2);
    const std::vector<TokenId> ids = tensorValues<TokenId>(reference, "input_ids");
    const std::vector<std::int32_t> layers = config.moeLayers();
    const std::size_t experts = static_cast<std::size_t>(config.moe->nRoutedExperts);

    [[nodiscard]] RouterDecision explain(const ForwardResult &result, std::size_t row,
                                         std::size_t layer) const
    {
        const float *logits = result.routerLogits.data() + (row * layers.size() + layer) * experts;
        return Router(*config.moe)
            .explain(layers[layer], {logits, experts}, executor->correctionBias(layers[layer]));
    }
};

TEST_P(RoutingTap, ExplainsTheChoicesOfThePublicImplementation)
{
    const auto cache = executor->createCache(static_cast<std::int32_t>(ids.size()));
    ForwardResult result;
    executor->forward({.tokens = ids, .logits = LogitsOf::AllTokens, .routerLogits = true}, *cache, result);
    ASSERT_TRUE(result.routing.empty());
    ASSERT_EQ(result.routerLogits.size(), ids.size() * layers.size() * experts);
    const auto k = static_cast<std::size_t>(config.moe->numExpertsPerTok);
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
        const std::string name = "router." + std::to_string(layers[layer]);
        const auto chosen = tensorValues<std::int32_t>(reference, name + ".ids");
        const auto weights = tensorValues<float>(reference, name + ".weights");
        for (std::size_t t = 0; t < ids.size(); ++t) {
            const RouterDecision decision = explain(result, t, layer);
            ASSERT_EQ(decision.layer, layers[layer]);
            ASSERT_EQ(decision.chosen.size(), k);
            for (std::size_t i = 0; i < k; ++i) {
                EXPECT_EQ(decision.chosen[i].expert, chosen[t * k + i]) << name << ", token " << t;
                EXPECT_NEAR(decision.chosen[i].weight, weights[t * k + i], 2e-3F) << name;
            }
        }
    }
}

TEST_P(RoutingTap, OneTokenAtATimeSeesTheSame)
{
    const auto whole = executor->createCache(static_cast<std::int32_t>(ids.size()));
    const auto steps = executor->createCache(static_cast<std::int32_t>(ids.size()));
    ForwardResult all;
    executor->forward({.tokens = ids, .logits = LogitsOf::AllTokens, .routerLogits = true}, *whole, all);
    const std::size_t row = layers.size() * experts;
    for (std::size_t t = 0; t < ids.size(); ++t) {
        ForwardResult one;
        executor->forward({.tokens = {&ids[t], 1}, .routerLogits = true}, *steps, one);
        ASSERT_EQ(one.routerLogits.size(), row);
        for (std::size_t i = 0; i < row; ++i)
            ASSERT_NEAR(one.routerLogits[i], all.routerLogits[t * row + i], 2e-3F) << "token " << t;
    }
}

TEST_P(RoutingTap, LastTokenOfAChunkIsTheLastRow)
{
    const auto first = executor->createCache(static_cast<std::int32_t>(ids.size()));
    const auto second = executor->createCache(static_cast<std::int32_t>(ids.size()));
    ForwardResult all;
    executor->forward({.tokens = ids, .logits = LogitsOf::AllTokens, .routerLogits = true}, *first, all);
    ForwardResult last;
    executor->forward({.tokens = ids, .routerLogits = true}, *second, last);
    const std::size_t row = layers.size() * experts;
    ASSERT_EQ(last.routerLogits.size(), row);
    for (std::size_t i = 0; i < row; ++i)
        ASSERT_NEAR(last.routerLogits[i], all.routerLogits[(ids.size() - 1) * row + i], 1e-5F);
}

TEST_P(RoutingTap, OnlyKeptGroupsAreChosenFrom)
{
    const auto cache = executor->createCache(static_cast<std::int32_t>(ids.size()));
    ForwardResult result;
    executor->forward({.tokens = ids, .logits = LogitsOf::AllTokens, .routerLogits = true}, *cache, result);
    for (std::size_t t = 0; t < ids.size(); ++t) {
        const RouterDecision decision = explain(result, t, 0);
        ASSERT_EQ(decision.scores.size(), experts);
        ASSERT_TRUE(std::is_sorted(decision.keptGroups.begin(), decision.keptGroups.end()));
        const auto size = static_cast<std::int32_t>(experts) / decision.groups;
        for (const ExpertChoice &choice : decision.chosen)
            EXPECT_TRUE(std::binary_search(decision.keptGroups.begin(), decision.keptGroups.end(),
                                           choice.expert / size));
    }
}

INSTANTIATE_TEST_SUITE_P(Models, RoutingTap,
                         testing::Values("deepseek-v2-tiny", "deepseek-v2-lite-tiny", "deepseek-v3-tiny"),
                         [](const auto &model) {
                             std::string name = model.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

TEST(RouterDecision, BiasAndGroupsAreTold)
{
    MoeConfig config;
    config.nRoutedExperts = 4;
    config.numExpertsPerTok = 1;
    config.nGroup = 2;
    config.topkGroup = 1;
    config.scoring = ScoringFunction::Sigmoid;
    config.topkMethod = TopkMethod::NoauxTc;
    config.routedScalingFactor = 2.5;
    const std::vector<float> logits = {0.0F, 0.0F, 0.0F, -1.0F};
    const std::vector<float> bias = {0.0F, 0.0F, 0.1F, 0.3F};
    const RouterDecision decision = Router(config).explain(5, logits, bias);
    EXPECT_EQ(decision.layer, 5);
    EXPECT_EQ(decision.scoring, "sigmoid");
    EXPECT_FLOAT_EQ(decision.scores[0], 0.5F);
    EXPECT_EQ(decision.bias, bias);
    EXPECT_EQ(decision.groups, 2);
    EXPECT_EQ(decision.keptGroups, std::vector<std::int32_t>{1});
    ASSERT_EQ(decision.chosen.size(), 1U);
    EXPECT_EQ(decision.chosen[0].expert, 2);
    EXPECT_FLOAT_EQ(decision.chosen[0].weight, 1.25F) << "of the score alone, without the bias";
}

} // namespace
} // namespace bathyscope
