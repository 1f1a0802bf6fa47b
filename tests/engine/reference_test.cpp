// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tiny checkpoints of every architecture against the public implementation. A match is: values within 2e-3,
// the same experts wherever the gap to the next one exceeds 1e-5, the same greedy ids (tests/data/README.md).
#include "engine/checkpoint/checkpoint.h"
#include "engine/executor/cpu_executor.h"
#include "engine/session/local_backend.h"
#include "tests/engine/collecting_sink.h"
#include "tests/engine/reference_data.h"
#include "tests/engine/temporary_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace bathyscope {
namespace {

constexpr float tolerance = 2e-3F;

/// Nearest half-precision number of a value in its range; bfloat16's 8 significant bits fit exactly unless
/// the value is subnormal there.
std::uint16_t toHalf(float value)
{
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000U : 0U);
    int exponent = 0;
    const float fraction = std::frexp(std::fabs(value), &exponent); // 0.5 … 1
    if (fraction == 0 || exponent < -13)
        return static_cast<std::uint16_t>(
            sign | static_cast<std::uint16_t>(std::lround(std::ldexp(std::fabs(value), 24))));
    const auto mantissa = static_cast<std::uint16_t>(std::lround(std::ldexp(fraction, 11)) - 1024);
    return static_cast<std::uint16_t>(sign | (static_cast<std::uint16_t>(exponent + 14) << 10U) | mantissa);
}

struct Case {
    std::string model;
    std::size_t chunk; ///< tokens of one forward pass; 1 takes the absorbed form
    int threads;
};

class Reference : public testing::TestWithParam<Case> {
protected:
    const std::string directory = testData + "/" + GetParam().model;
    const SafetensorsFile reference{directory + "/reference.safetensors"};
    const ModelConfig config = loadModelConfig(directory + "/config.json");
    const std::unique_ptr<Executor> executor =
        createCpuExecutor(config, std::make_shared<Checkpoint>(directory), GetParam().threads);
    const std::vector<TokenId> ids = tensorValues<TokenId>(reference, "input_ids");
    const std::size_t hiddenSize = static_cast<std::size_t>(config.hiddenSize);
    const std::size_t vocabSize = static_cast<std::size_t>(config.vocabSize);

    void expectNear(const std::vector<float> &expected, std::size_t offset, std::span<const float> actual,
                    const std::string &what) const
    {
        for (std::size_t i = 0; i < actual.size(); ++i)
            ASSERT_NEAR(actual[i], expected[offset + i], tolerance) << what << ", element " << offset + i;
    }

    /// Experts and weights of all tokens in [begin, begin + count).
    void expectRouting(const ForwardResult &result, std::size_t begin, std::size_t count) const
    {
        const auto layers = config.moeLayers();
        if (!config.moe) {
            EXPECT_TRUE(result.routing.empty());
            return;
        }
        const auto k = static_cast<std::size_t>(config.moe->numExpertsPerTok);
        for (std::size_t l = 0; l < layers.size(); ++l) {
            const std::string prefix = "router." + std::to_string(layers[l]);
            const auto experts = tensorValues<std::int32_t>(reference, prefix + ".ids");
            const auto weights = tensorValues<float>(reference, prefix + ".weights");
            for (std::size_t i = 0; i < count * k; ++i) {
                const ExpertChoice &choice = result.routing[(i / k * layers.size() + l) * k + i % k];
                ASSERT_EQ(choice.expert, experts[begin * k + i]) << prefix << ", token " << begin + i / k;
                ASSERT_NEAR(choice.weight, weights[begin * k + i], tolerance) << prefix;
            }
        }
    }
};

TEST_P(Reference, HiddenStatesRoutingAndLogits)
{
    const auto logits = tensorValues<float>(reference, "logits");
    const auto cache = executor->createCache(static_cast<std::int32_t>(ids.size()));
    std::vector<std::vector<float>> hidden;
    for (std::int32_t l = 0; l < config.numHiddenLayers; ++l)
        hidden.push_back(tensorValues<float>(reference, "hidden." + std::to_string(l)));
    ForwardResult result;
    for (std::size_t begin = 0; begin < ids.size();) {
        const std::size_t count = std::min(GetParam().chunk, ids.size() - begin);
        executor->forward({.tokens = {ids.data() + begin, count},
                           .logits = LogitsOf::AllTokens,
                           .routing = true,
                           .hidden = true},
                          *cache, result);
        expectNear(logits, begin * vocabSize, result.logits, "logits");
        for (std::size_t l = 0; l < hidden.size(); ++l)
            expectNear(hidden[l], begin * hiddenSize,
                       {result.hidden.data() + l * count * hiddenSize, count * hiddenSize},
                       "hidden." + std::to_string(l));
        expectRouting(result, begin, count);
        begin += count;
    }
}

TEST_P(Reference, LastTokensLogitsAloneAreTheSame)
{
    const auto logits = tensorValues<float>(reference, "logits");
    const auto cache = executor->createCache(static_cast<std::int32_t>(ids.size()));
    ForwardResult result;
    for (std::size_t begin = 0; begin < ids.size();) {
        const std::size_t count = std::min(GetParam().chunk, ids.size() - begin);
        executor->forward({.tokens = {ids.data() + begin, count}, .routing = true}, *cache, result);
        begin += count;
        ASSERT_EQ(result.logits.size(), vocabSize);
        expectNear(logits, (begin - 1) * vocabSize, result.logits, "logits");
        expectRouting(result, begin - 1, 1);
    }
}

TEST_P(Reference, MultiTokenPrediction)
{
    if (!reference.tensors().contains("mtp_logits")) {
        EXPECT_FALSE(executor->hasDraft());
        return;
    }
    ASSERT_TRUE(executor->hasDraft());
    const auto expected = tensorValues<float>(reference, "mtp_logits");
    const auto cache = executor->createCache(static_cast<std::int32_t>(ids.size()));
    ForwardResult result;
    executor->forward({.tokens = ids, .logits = LogitsOf::None, .draftInput = true}, *cache, result);
    std::vector<float> logits;
    for (std::size_t begin = 0; begin + 1 < ids.size();) {
        const std::size_t count = std::min(GetParam().chunk, ids.size() - 1 - begin);
        executor->draft({ids.data() + begin + 1, count},
                        {result.draftInput.data() + begin * hiddenSize, count * hiddenSize},
                        static_cast<std::int32_t>(begin), *cache, logits);
        expectNear(expected, begin * vocabSize, logits, "mtp_logits");
        begin += count;
    }
}

TEST_P(Reference, GreedyIds)
{
    const auto expected = tensorValues<TokenId>(reference, "greedy_ids");
    LocalBackend backend(directory, {.device = "cpu", .threads = GetParam().threads, .contextLength = 0});
    Request request;
    request.prompt = std::vector<TokenId>(expected.begin(), expected.begin() + 24);
    request.sampling.temperature = 0;
    request.sampling.maxTokens = 24;
    CollectingSink sink;
    backend.createSession()->generate(request, sink, {});
    // The reference goes on behind the end of the sequence, where a session stops.
    auto end = std::find(expected.begin() + 24, expected.end(), config.eosTokenIds.front());
    end += end == expected.end() ? 0 : 1;
    EXPECT_EQ(sink.ids(), std::vector<TokenId>(expected.begin() + 24, end));
}

/// Writes a checkpoint's BF16 tensors as F32, or as the half-precision numbers nearest to them.
void convertWeights(const std::filesystem::path &directory, bool half)
{
    const SafetensorsFile source(testData + "/deepseek-v2-lite-tiny/model.safetensors");
    std::vector<std::vector<std::byte>> converted;
    std::vector<TensorToWrite> tensors;
    for (const auto &[name, tensor] : source.tensors()) {
        ASSERT_EQ(tensor.type, StoredType::BF16);
        const auto words = tensorValues<std::uint16_t>(source, name);
        std::vector<float> floats;
        for (const std::uint16_t word : words)
            floats.push_back(std::bit_cast<float>(std::uint32_t(word) << 16U));
        std::vector<std::byte> &bytes = converted.emplace_back();
        for (const float value : floats) {
            const std::uint16_t rounded = half ? toHalf(value) : std::uint16_t(0);
            const auto part =
                half ? std::as_bytes(std::span(&rounded, 1)) : std::as_bytes(std::span(&value, 1));
            bytes.insert(bytes.end(), part.begin(), part.end());
        }
        tensors.push_back({name, half ? "F16" : "F32", tensor.shape, {}});
    }
    for (std::size_t i = 0; i < tensors.size(); ++i)
        tensors[i].bytes = converted[i];
    writeSafetensors(directory / "model.safetensors", tensors);
}

TEST(StoredTypes, F32AndF16GiveTheReferencesLogits)
{
    for (const bool half : {false, true}) {
        const TemporaryDirectory directory(testData + "/deepseek-v2-lite-tiny");
        convertWeights(directory.path(), half);
        const SafetensorsFile reference(directory.path() / "reference.safetensors");
        const auto ids = tensorValues<TokenId>(reference, "input_ids");
        const auto expected = tensorValues<float>(reference, "logits");
        const auto executor = createCpuExecutor(loadModelConfig(directory.path() / "config.json"),
                                                std::make_shared<Checkpoint>(directory.path()), 2);
        const auto cache = executor->createCache(static_cast<std::int32_t>(ids.size()));
        ForwardResult result;
        executor->forward({.tokens = ids, .logits = LogitsOf::AllTokens}, *cache, result);
        for (std::size_t i = 0; i < expected.size(); ++i)
            ASSERT_NEAR(result.logits[i], expected[i], tolerance)
                << (half ? "F16" : "F32") << ", element " << i;
    }
}

class Threads : public testing::TestWithParam<const char *> { };

TEST_P(Threads, DoNotChangeABit)
{
    const std::string directory = testData + "/" + GetParam();
    const ModelConfig config = loadModelConfig(directory + "/config.json");
    const auto source = std::make_shared<Checkpoint>(directory);
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 2, 3}) {
        const auto executor = createCpuExecutor(config, source, threads);
        const auto cache = executor->createCache(64);
        std::vector<TokenId> ids(50);
        for (std::size_t i = 0; i < ids.size(); ++i)
            ids[i] = static_cast<TokenId>(i * 7 % 512);
        ForwardResult result;
        executor->forward({.tokens = ids, .logits = LogitsOf::AllTokens}, *cache, result);
        std::vector<float> all = result.logits;
        for (const TokenId id : {3, 5, 8}) {
            executor->forward({.tokens = {&id, 1}}, *cache, result);
            all.insert(all.end(), result.logits.begin(), result.logits.end());
        }
        results.push_back(std::move(all));
    }
    EXPECT_EQ(results[0], results[1]);
    EXPECT_EQ(results[0], results[2]);
}

INSTANTIATE_TEST_SUITE_P(Attention, Threads, testing::Values("deepseek-v3-tiny-fp8", "qwen3-moe-tiny"));

std::vector<Case> allCases()
{
    std::vector<Case> cases;
    for (const char *model :
         {"deepseek-v3-tiny", "deepseek-v3-tiny-fp8", "deepseek-v2-lite-tiny", "deepseek-v2-tiny",
          "qwen2-tiny", "llama-tiny", "qwen3-tiny", "qwen3-moe-tiny"}) {
        cases.push_back({model, 512, 2}); // whole
        cases.push_back({model, 1, 2}); // token by token, absorbed
        cases.push_back({model, 29, 1}); // chunks that divide nothing
    }
    return cases;
}

std::string caseName(const testing::TestParamInfo<Case> &tested)
{
    std::string name = tested.param.model + "_chunk" + std::to_string(tested.param.chunk);
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, Reference, testing::ValuesIn(allCases()), caseName);

} // namespace
} // namespace bathyscope
