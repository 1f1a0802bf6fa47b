// SPDX-License-Identifier: GPL-3.0-or-later
//
// GGUF files on a GPU against the checkpoints they were made from, with the CPU's bound on the divergence
// (gguf_test.cpp; not deepseek-v3-tiny's, some of whose near ties between experts turn: see
// cuda_executor_test.cpp), and models with random weights of every packed type against the CPU. Skipped with
// the reason where there is no card.
#include "engine/checkpoint/random_weights.h"
#include "engine/executor/cpu_executor.h"
#include "engine/executor/cuda_executor.h"
#include "engine/session/model_files.h"
#include "kernels/cuda/driver.h"
#include "tests/engine/divergence.h"
#include "tests/engine/reference_data.h"
#include "tests/kernels/packed_types.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bathyscope {
namespace {

using kernels::DType;

std::vector<float> logitsOf(Executor &executor, const std::vector<TokenId> &ids, std::size_t chunk)
{
    const auto cache = executor.createCache(static_cast<std::int32_t>(ids.size()));
    std::vector<float> logits;
    ForwardResult result;
    for (std::size_t begin = 0; begin < ids.size(); begin += chunk) {
        const std::size_t count = std::min(chunk, ids.size() - begin);
        executor.forward({.tokens = {ids.data() + begin, count}, .logits = LogitsOf::AllTokens}, *cache,
                         result);
        logits.insert(logits.end(), result.logits.begin(), result.logits.end());
    }
    return logits;
}

std::unique_ptr<Executor> onCard(const ModelConfig &config, std::shared_ptr<const TensorSource> source)
{
    const std::vector<CudaShare> shares = {{0, config.numHiddenLayers}};
    return createCudaExecutor(config, std::move(source), shares, {});
}

template <typename Parameter>
class OnCard : public testing::TestWithParam<Parameter> {
protected:
    void SetUp() override
    {
        std::string why;
        if (kernels::cuda::listDevices(&why).empty())
            GTEST_SKIP() << why;
    }
};

struct File {
    std::string hub; ///< the directory it was made from
    std::string file;
};

class CudaGguf : public OnCard<File> { };

TEST_P(CudaGguf, LogitsAreThoseOfTheReference)
{
    const SafetensorsFile reference(testData + "/" + GetParam().hub + "/reference.safetensors");
    const auto ids = tensorValues<TokenId>(reference, "input_ids");
    const auto expected = tensorValues<float>(reference, "logits");
    const WeightFiles model = openWeightFiles(testData + "/gguf/" + GetParam().file);
    const auto executor = onCard(model.config, model.weights);
    for (const std::size_t chunk : {std::size_t(1), std::size_t(7)})
        EXPECT_LT(meanDivergence(expected, logitsOf(*executor, ids, chunk), expected.size() / ids.size()),
                  1e-3)
            << "in chunks of " << chunk;
}

std::string nameOf(const testing::TestParamInfo<File> &tested)
{
    std::string name = tested.param.hub;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Files, CudaGguf,
                         testing::Values(File{"qwen2-tiny", "qwen2-tiny-00001-of-00002.gguf"},
                                         File{"llama-tiny", "llama-tiny.gguf"},
                                         File{"qwen3-tiny", "qwen3-tiny.gguf"},
                                         File{"qwen3-moe-tiny", "qwen3-moe-tiny.gguf"},
                                         File{"deepseek-v2-tiny", "deepseek-v2-tiny.gguf"}),
                         nameOf);

/// Sizes that are whole blocks of every type; where there are experts, all are chosen, so that no near tie
/// can turn.
ModelConfig smallConfig(bool experts)
{
    ModelConfig c;
    c.modelType = experts ? "qwen3_moe" : "qwen2";
    c.vocabSize = 300;
    c.hiddenSize = 512;
    c.intermediateSize = 768;
    c.numHiddenLayers = 2;
    c.numAttentionHeads = 8;
    c.maxPositionEmbeddings = 256;
    c.rmsNormEps = 1e-6;
    c.rope.pairs = kernels::RopePairs::Halves;
    c.attention = GqaConfig{.numKeyValueHeads = 2, .headDim = 64, .qkvBias = !experts, .qkNorm = experts};
    c.layerIsMoe.assign(2, experts);
    if (experts)
        c.moe = MoeConfig{
            .nRoutedExperts = 5, .numExpertsPerTok = 5, .moeIntermediateSize = 256, .normTopkProb = true};
    return c;
}

class CudaRandomModel : public OnCard<DType> { };

TEST_P(CudaRandomModel, GivesTheCpusLogits)
{
    std::vector<TokenId> ids(70);
    for (std::size_t i = 0; i < ids.size(); ++i)
        ids[i] = static_cast<TokenId>(i * 37 % 300);
    for (const bool experts : {false, true}) {
        const ModelConfig config = smallConfig(experts);
        const auto source = std::make_shared<RandomWeights>(GetParam());
        const auto cpu = createCpuExecutor(config, source, 2);
        const auto card = onCard(config, source);
        const auto expected = logitsOf(*cpu, ids, ids.size());
        const auto vocabulary = static_cast<std::size_t>(config.vocabSize);
        for (const std::size_t chunk : {std::size_t(1), std::size_t(3), std::size_t(6)})
            EXPECT_LT(meanDivergence(expected, logitsOf(*card, ids, chunk), vocabulary), 1e-5)
                << "in chunks of " << chunk << (experts ? ", with experts" : "");
        EXPECT_LT(meanDivergence(expected, logitsOf(*card, ids, ids.size()), vocabulary), 1e-3)
            << "in one chunk" << (experts ? ", with experts" : "");
    }
}

INSTANTIATE_TEST_SUITE_P(Types, CudaRandomModel, testing::ValuesIn(kernels::packedTypes),
                         [](const auto &tested) { return kernels::blockOf(tested.param).name; });

} // namespace
} // namespace bathyscope
