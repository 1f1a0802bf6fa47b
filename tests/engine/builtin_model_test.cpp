// SPDX-License-Identifier: GPL-3.0-or-later
//
// The built-in model against its reference.json: greedy answers and log-probabilities of the public
// implementation in float32.
#include "engine/json_file.h"
#include "engine/session/local_backend.h"
#include "kernels/cpu/operations.h"
#include "tests/engine/collecting_sink.h"
#include "tests/engine/reference_data.h"

#include <gtest/gtest.h>

#include <cmath>

namespace bathyscope {
namespace {

class BuiltinModel : public testing::Test {
protected:
    LocalBackend backend{builtinModel, {.device = "cpu", .threads = 2, .contextLength = 0}};
    const nlohmann::json reference = nlohmann::json::parse(readTextFile(builtinModel + "/reference.json"));

    GenerationSummary ask(const std::string &question, CollectingSink &sink)
    {
        Request request;
        request.prompt = std::vector<Message>{{Role::User, question}};
        request.sampling.temperature = 0;
        return backend.createSession()->generate(request, sink, {});
    }
};

TEST_F(BuiltinModel, GreedyAnswersAreTheReferences)
{
    ASSERT_EQ(reference.size(), 34U);
    for (const auto &problem : reference) {
        CollectingSink sink;
        const GenerationSummary summary = ask(problem["question"], sink);
        EXPECT_EQ(sink.ids(), problem["output_ids"].get<std::vector<TokenId>>()) << problem["question"];
        EXPECT_EQ(summary.promptTokens, static_cast<std::int32_t>(problem["prompt_ids"].size()));
        EXPECT_EQ(summary.finish, FinishReason::EndOfSequence);
        EXPECT_NE(sink.text(Section::Answer).find(problem["expected"].get<std::string>()), std::string::npos);
    }
}

TEST_F(BuiltinModel, LogProbabilitiesAreTheReferences)
{
    Executor &executor = backend.executor();
    std::size_t compared = 0;
    for (const auto &problem : reference) {
        if (!problem.contains("top20_ids"))
            continue;
        auto ids = problem["prompt_ids"].get<std::vector<TokenId>>();
        for (const auto &id : problem["output_ids"])
            ids.push_back(id.get<TokenId>());
        const auto cache = executor.createCache(static_cast<std::int32_t>(ids.size()));
        ForwardResult result;
        executor.forward({.tokens = ids, .logits = LogitsOf::AllTokens}, *cache, result);
        for (std::size_t t = 0; t < ids.size(); ++t) {
            const float *logits =
                result.logits.data() + t * static_cast<std::size_t>(executor.config().vocabSize);
            const float sum = kernels::logSumExp(logits, executor.config().vocabSize).logSumExp;
            for (std::size_t rank = 0; rank < 20; ++rank) {
                const auto id = problem["top20_ids"][t][rank].get<std::size_t>();
                ASSERT_NEAR(logits[id] - sum, problem["top20_logprobs"][t][rank].get<float>(), 2e-3)
                    << problem["question"] << ", position " << t << ", rank " << rank;
                ++compared;
            }
        }
    }
    EXPECT_GT(compared, 1000U);
}

TEST_F(BuiltinModel, ARecordHoldsTheModelsOwnDistributionAndRouting)
{
    CollectingSink sink;
    ask("What is 25 * 37?", sink);
    const ModelInfo &info = backend.model();
    for (const TokenRecord &record : sink.records) {
        ASSERT_EQ(record.top.size(), 20U);
        EXPECT_EQ(record.id, record.top.front().id) << "greedy takes the best";
        EXPECT_EQ(record.logProb, record.top.front().logProb);
        double mass = record.restMass;
        for (std::size_t i = 0; i < record.top.size(); ++i) {
            mass += std::exp(double(record.top[i].logProb));
            if (i > 0) {
                EXPECT_LE(record.top[i].logProb, record.top[i - 1].logProb);
            }
        }
        EXPECT_NEAR(mass, 1, 1e-5);
        ASSERT_EQ(record.experts.size(),
                  info.moeLayers.size() * static_cast<std::size_t>(info.expertsPerToken));
        for (std::size_t l = 0; l < info.moeLayers.size(); ++l) {
            float sum = 0;
            for (std::size_t i = 0; i < 4; ++i)
                sum += record.experts[4 * l + i].weight;
            EXPECT_NEAR(sum, 1, 1e-5) << "weights are normalised, the scaling factor is 1";
        }
    }
    EXPECT_EQ(sink.text(Section::Answer), "25 * 37 = **925**");
}

TEST_F(BuiltinModel, DescribesItself)
{
    const ModelInfo &info = backend.model();
    EXPECT_EQ(info.architecture, "deepseek_v3");
    EXPECT_EQ(info.dtype, "FP8");
    EXPECT_EQ(info.layers, 8);
    EXPECT_EQ(info.moeLayers, (std::vector<std::int32_t>{1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(info.experts, 32);
    EXPECT_EQ(info.contextLength, 2048);
    EXPECT_FLOAT_EQ(info.defaults.temperature, 0.6F);
    EXPECT_FLOAT_EQ(info.defaults.topP, 0.95F);
    EXPECT_EQ(info.vocabulary->size(), 1024U);
    EXPECT_EQ(info.cacheBytesPerToken, 8 * 112 * 4);
    EXPECT_EQ(
        info.attention,
        (AttentionShape{
            .heads = 6, .keyDim = 64, .valueDim = 64, .keyValueHeads = 0, .latentDim = 96, .ropeDim = 16}));
    EXPECT_GT(info.weightBytes, 10000000);
    EXPECT_GT(info.memory.available, 0);
    EXPECT_GE(info.memory.total, info.memory.available);
    EXPECT_GT(info.parameters, info.activeParameters);
}

} // namespace
} // namespace bathyscope
