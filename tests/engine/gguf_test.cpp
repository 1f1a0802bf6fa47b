// SPDX-License-Identifier: GPL-3.0-or-later
//
// GGUF files that the gguf package wrote (tests/data/gguf/make_gguf.py) against the checkpoints they were
// made from.
#include "engine/checkpoint/gguf_checkpoint.h"
#include "engine/error.h"
#include "engine/executor/cpu_executor.h"
#include "engine/models/gguf_config.h"
#include "engine/session/local_backend.h"
#include "engine/text/prompt.h"
#include "tests/engine/collecting_sink.h"
#include "tests/engine/divergence.h"
#include "tests/engine/reference_data.h"
#include "tests/engine/temporary_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace bathyscope {
namespace {

struct Case {
    std::string hub; ///< the directory it was made from
    std::string file;
    bool exact; ///< BF16, as the checkpoint; else Q8_0
};

std::string ggufPath(const std::string &file)
{
    return testData + "/gguf/" + file;
}

class Gguf : public testing::TestWithParam<Case> { };

TEST_P(Gguf, LogitsAreThoseOfTheReference)
{
    const SafetensorsFile reference(testData + "/" + GetParam().hub + "/reference.safetensors");
    const auto ids = tensorValues<TokenId>(reference, "input_ids");
    const auto expected = tensorValues<float>(reference, "logits");
    const WeightFiles model = openWeightFiles(ggufPath(GetParam().file));
    const auto executor = createCpuExecutor(model.config, model.weights, 2);
    for (const std::size_t chunk : {ids.size(), std::size_t(1)}) {
        const auto cache = executor->createCache(static_cast<std::int32_t>(ids.size()));
        std::vector<float> logits;
        ForwardResult result;
        for (std::size_t begin = 0; begin < ids.size(); begin += chunk) {
            executor->forward({.tokens = {ids.data() + begin, chunk}, .logits = LogitsOf::AllTokens}, *cache,
                              result);
            logits.insert(logits.end(), result.logits.begin(), result.logits.end());
        }
        ASSERT_EQ(logits.size(), expected.size());
        EXPECT_LT(meanDivergence(expected, logits, logits.size() / ids.size()), 1e-3);
        for (std::size_t i = 0; GetParam().exact && i < logits.size(); ++i)
            ASSERT_NEAR(logits[i], expected[i], 2e-3) << i;
    }
}

TEST_P(Gguf, TextBecomesTheSameIds)
{
    const ModelFiles gguf = openModelFiles(ggufPath(GetParam().file));
    std::ifstream stream(testData + "/tokenizer_vectors.json");
    for (const auto &vector : nlohmann::json::parse(stream)) {
        const auto text = vector.at("text").get<std::string>();
        EXPECT_EQ(gguf.tokenizer.encode(text, AddedTokens::Recognise),
                  vector.at("ids").get<std::vector<TokenId>>())
            << text.substr(0, 100);
    }
    const ModelFiles hub = openModelFiles(testData + "/" + GetParam().hub);
    EXPECT_EQ(*gguf.tokenizer.vocabulary(), *hub.tokenizer.vocabulary());
    for (TokenId id = 0; id < 10; ++id) {
        EXPECT_EQ(gguf.tokenizer.isAddedToken(id), hub.tokenizer.isAddedToken(id)) << id;
        EXPECT_EQ(gguf.tokenizer.isSpecialToken(id), hub.tokenizer.isSpecialToken(id)) << id;
    }
}

TEST_P(Gguf, ConversationsGiveTheSameGreedyText)
{
    Request request;
    request.prompt = std::vector<Message>{
        {Role::User, "What is 6 * 7?"}, {Role::Assistant, "42"}, {Role::User, "And <think> 6 + 7?"}};
    request.sampling.temperature = 0;
    request.sampling.maxTokens = 24;
    const LocalBackendOptions options{.device = "cpu", .threads = 2, .contextLength = 0};
    LocalBackend gguf(ggufPath(GetParam().file), options);
    LocalBackend hub(testData + "/" + GetParam().hub, options);
    EXPECT_EQ(gguf.preparePrompt(request.prompt).text, hub.preparePrompt(request.prompt).text);
    EXPECT_EQ(gguf.preparePrompt(request.prompt).ids, hub.preparePrompt(request.prompt).ids);
    EXPECT_EQ(gguf.model().moeLayers, hub.model().moeLayers);
    EXPECT_EQ(gguf.model().contextLength, hub.model().contextLength);
    if (!GetParam().exact)
        return; // random weights leave near-ties, which rounding may turn
    CollectingSink fromGguf;
    CollectingSink fromHub;
    gguf.createSession()->generate(request, fromGguf, {});
    hub.createSession()->generate(request, fromHub, {});
    EXPECT_EQ(fromGguf.ids(), fromHub.ids());
    EXPECT_EQ(gguf.model().name, GetParam().hub);
}

std::string caseName(const testing::TestParamInfo<Case> &tested)
{
    std::string name = tested.param.hub;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
}

INSTANTIATE_TEST_SUITE_P(Files, Gguf,
                         testing::Values(Case{"qwen2-tiny", "qwen2-tiny-00001-of-00002.gguf", false},
                                         Case{"llama-tiny", "llama-tiny.gguf", true},
                                         Case{"qwen3-tiny", "qwen3-tiny.gguf", true},
                                         Case{"qwen3-moe-tiny", "qwen3-moe-tiny.gguf", true},
                                         Case{"deepseek-v2-tiny", "deepseek-v2-tiny.gguf", true},
                                         Case{"deepseek-v3-tiny", "deepseek-v3-tiny.gguf", true}),
                         caseName);

TEST(GgufConfig, IsTheHubs)
{
    const ModelConfig llama = loadModelConfig(GgufCheckpoint(ggufPath("llama-tiny.gguf")));
    EXPECT_EQ(llama.rope.pairs, kernels::RopePairs::Adjacent);
    EXPECT_EQ(llama.rope.frequencyFactors.size(), 16U);
    const ModelConfig v3 = loadModelConfig(GgufCheckpoint(ggufPath("deepseek-v3-tiny.gguf")));
    EXPECT_EQ(v3.modelType, "deepseek_v3");
    EXPECT_EQ(v3.mla().qkNopeHeadDim, 32);
    EXPECT_EQ(v3.mla().vHeadDim, 32);
    EXPECT_EQ(v3.moe->topkGroup, 2);
    ASSERT_TRUE(v3.rope.yarn);
    EXPECT_NEAR(v3.rope.yarn->mscaleAllDim, 1, 1e-6);
    const ModelConfig v2 = loadModelConfig(GgufCheckpoint(ggufPath("deepseek-v2-tiny.gguf")));
    EXPECT_EQ(v2.moe->topkMethod, TopkMethod::GroupLimitedGreedy);
    EXPECT_DOUBLE_EQ(v2.moe->routedScalingFactor, 16);
}

TEST(GgufFiles, AnyPartAndTheirDirectoryOpenTheWholeModel)
{
    const TemporaryDirectory directory;
    for (const char *part : {"qwen2-tiny-00001-of-00002.gguf", "qwen2-tiny-00002-of-00002.gguf"})
        std::filesystem::copy_file(ggufPath(part), directory.path() / part);
    { // Windows removes no file that is mapped.
        const GgufCheckpoint second(directory.path() / "qwen2-tiny-00002-of-00002.gguf");
        EXPECT_TRUE(second.metadata().contains("tokenizer.ggml.tokens"));
        EXPECT_EQ(openModelFiles(directory.path()).fingerprint, second.fingerprint());
    }
    std::filesystem::copy_file(ggufPath("llama-tiny.gguf"), directory.path() / "llama-tiny.gguf");
    EXPECT_THROW(openModelFiles(directory.path()), Error); // two models: which one?
    std::filesystem::remove(directory.path() / "qwen2-tiny-00002-of-00002.gguf");
    EXPECT_THROW(GgufCheckpoint(directory.path() / "qwen2-tiny-00001-of-00002.gguf"), Error);
}

/// A file with some bytes changed is refused with an error that holds `text`.
void expectRefused(const std::string &find, const std::string &replace, const std::string &text)
{
    std::ifstream stream(ggufPath("qwen3-tiny.gguf"), std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(stream), {});
    const std::size_t at = bytes.find(find);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, replace.size(), replace);
    const TemporaryDirectory directory;
    const auto path = directory.path() / "broken.gguf";
    std::ofstream(path, std::ios::binary) << bytes;
    try {
        openModelFiles(path);
        FAIL() << "accepted where expected: " << text;
    } catch (const Error &error) {
        const std::string message = error.what();
        EXPECT_NE(message.find(text), std::string::npos) << message;
        EXPECT_NE(message.find("broken.gguf"), std::string::npos) << message;
    }
}

TEST(GgufFiles, WhatCannotRunSaysWhyAndWhatWould)
{
    using namespace std::string_literals;
    const std::string version = "GGUF\x03\0\0\0"s;
    expectRefused(version, "GGML", "magic: expected GGUF");
    expectRefused(version, "GGUF\x01"s, "version: expected 2 or 3, found 1");
    expectRefused(version, "GGUF\0\0\0\x03"s, "a big-endian one: convert the model anew");
    expectRefused(version, version + "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s, "number of tensors");
    // The architecture's value follows its key, its type and its length.
    const std::string architecture = "general.architecture\x08\0\0\0\x05\0\0\0\0\0\0\0"s;
    expectRefused(architecture + "qwen3", architecture + "mamba", "qwen3moe or deepseek2, found");
    expectRefused("gpt2", "spm2", "tokenizer.ggml.model: expected gpt2");
    expectRefused("deepseek-v3", "deepseek-v9", "tokenizer.ggml.pre: expected one of");
    // A tensor's description: name, rank, two dimensions, type 30 (BF16), offset.
    const std::string embedding = "token_embd.weight\x02\0\0\0\x80\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0"s;
    expectRefused(embedding, embedding + "\x10\0\0\0"s, "IQ2_XXS (take another quantisation of the model");
    expectRefused(embedding, embedding + "\x63\0\0\0"s, "found number 99");
    expectRefused("blk.0.attn_q_norm", "blk.0.attn_z_norm", "in a model of the kind \"qwen3\"");
}

TEST(GgufFiles, TruncatedFilesAreRefused)
{
    const TemporaryDirectory directory;
    const auto path = directory.path() / "short.gguf";
    std::filesystem::copy_file(ggufPath("qwen3-tiny.gguf"), path);
    for (const std::uintmax_t size : {400'000, 30'000, 10'000, 100, 20, 5, 0}) {
        std::filesystem::resize_file(path, size);
        EXPECT_THROW(GgufFile{path}, Error) << size;
    }
}

} // namespace
} // namespace bathyscope
