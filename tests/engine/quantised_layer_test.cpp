// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/quantised_layer.h"

#include "engine/checkpoint/checkpoint.h"
#include "engine/executor/memory_plan.h"
#include "tests/engine/quantised_closeness.h"
#include "tests/engine/reference_data.h"

#include <gtest/gtest.h>

namespace bathyscope {
namespace {

std::int64_t bytesOf(const kernels::MatrixView &m)
{
    EXPECT_EQ(m.dtype, kernels::DType::F8E4M3);
    return m.rows * m.columns + (m.rows + 127) / 128 * m.scaleColumns * std::int64_t(sizeof(float));
}

class QuantisedLayerTest : public testing::Test {
protected:
    ModelConfig config = loadModelConfig(testData + "/deepseek-v3-tiny/config.json");
    Checkpoint checkpoint{testData + "/deepseek-v3-tiny"}; // bf16
    ModelWeights weights = bindWeights(config, checkpoint);
    ThreadTeam team{2};
};

TEST_F(QuantisedLayerTest, ProjectionsBecomeBlocks)
{
    const LayerWeights &stored = weights.layers.at(1);
    const QuantisedLayer layer(stored, team);
    expectClose(layer.weights().mla().qB, stored.mla().qB);
    expectClose(layer.weights().mla().kvB, stored.mla().kvB);
    expectClose(layer.weights().moe->experts.back().down, stored.moe->experts.back().down);
    expectClose(layer.weights().moe->shared->gate, stored.moe->shared->gate);
    EXPECT_EQ(layer.weights().moe->router.data, stored.moe->router.data) << "the router keeps its type";
}

TEST_F(QuantisedLayerTest, TakesWhatThePlanCounts)
{
    const ModelMemory memory = measureMemory(config, weights);
    const QuantisedLayer layer(weights.layers.at(1), team);
    const FeedForwardWeights &expert = layer.weights().moe->experts.front();
    EXPECT_EQ(bytesOf(expert.gate) + bytesOf(expert.up) + bytesOf(expert.down),
              memory.layers.at(1).expert.quantised);
}

TEST_F(QuantisedLayerTest, WhatIsNarrowAlreadyStays)
{
    const Checkpoint fp8(testData + "/deepseek-v3-tiny-fp8");
    const ModelConfig fp8Config = loadModelConfig(testData + "/deepseek-v3-tiny-fp8/config.json");
    const ModelWeights stored = bindWeights(fp8Config, fp8);
    const QuantisedLayer layer(stored.layers.at(1), team);
    EXPECT_EQ(layer.weights().mla().o.data, stored.layers.at(1).mla().o.data);
}

} // namespace
} // namespace bathyscope
