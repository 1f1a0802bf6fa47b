// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/error.h"
#include "engine/json_file.h"
#include "engine/models/model_config.h"
#include "tests/engine/reference_data.h"
#include "tests/engine/temporary_directory.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

namespace bathyscope {
namespace {

class Config : public testing::Test {
protected:
    TemporaryDirectory directory;
    nlohmann::json object = readJsonFile(testData + "/deepseek-v3-tiny/config.json");

    ModelConfig load() const
    {
        std::ofstream(directory.path() / "config.json") << object;
        return loadModelConfig(directory.path() / "config.json");
    }

    void expectError(const std::string &key, const nlohmann::json &value) const
    {
        nlohmann::json broken = object;
        broken[nlohmann::json::json_pointer("/" + key)] = value;
        std::ofstream(directory.path() / "config.json") << broken;
        std::string leaf = key.substr(key.rfind('/') == std::string::npos ? 0 : key.rfind('/') + 1);
        try {
            loadModelConfig(directory.path() / "config.json");
            FAIL() << key << " = " << value << " was accepted";
        } catch (const Error &error) {
            const std::string text = error.what();
            EXPECT_NE(text.find("config.json"), std::string::npos) << text;
            EXPECT_NE(text.find(leaf), std::string::npos) << text;
            EXPECT_NE(text.find("expected"), std::string::npos) << text;
            EXPECT_NE(text.find("found"), std::string::npos) << text;
        }
    }
};

TEST_F(Config, ReadsEveryHyperparameter)
{
    const ModelConfig c = load();
    EXPECT_EQ(c.modelType, "deepseek_v3");
    EXPECT_EQ(c.mla().qLoraRank, 96);
    EXPECT_EQ(c.mla().cacheWidth(), 80);
    EXPECT_EQ(c.moe->topkMethod, TopkMethod::NoauxTc);
    EXPECT_EQ(c.moe->scoring, ScoringFunction::Sigmoid);
    EXPECT_TRUE(c.moe->normTopkProb);
    EXPECT_DOUBLE_EQ(c.moe->routedScalingFactor, 2.5);
    EXPECT_EQ(c.layerIsMoe, (std::vector<bool>{false, true, true, true}));
    EXPECT_EQ(c.numNextnPredictLayers, 1);
    ASSERT_TRUE(c.rope.yarn);
    EXPECT_DOUBLE_EQ(c.rope.yarn->factor, 40);
    EXPECT_EQ(c.eosTokenIds, (std::vector<TokenId>{1}));
}

TEST_F(Config, YarnSharpensTheSoftmax)
{
    const double mscale = 0.1 * std::log(40.0) + 1;
    EXPECT_NEAR(load().softmaxScale(), mscale * mscale / std::sqrt(48.0), 1e-6);
    object.erase("rope_scaling");
    EXPECT_NEAR(load().softmaxScale(), 1 / std::sqrt(48.0), 1e-7);
}

TEST_F(Config, NewerSpellingOfRope)
{
    object["rope_parameters"] = object["rope_scaling"];
    object["rope_parameters"]["rope_type"] = "yarn";
    object["rope_parameters"]["rope_theta"] = 5000.0;
    object.erase("rope_scaling");
    object.erase("rope_theta");
    const ModelConfig c = load();
    ASSERT_TRUE(c.rope.yarn);
    EXPECT_DOUBLE_EQ(c.rope.theta, 5000);
}

TEST_F(Config, UnknownAndContradictoryValuesAreErrors)
{
    expectError("model_type", "mamba");
    expectError("model_type", 7);
    expectError("hidden_act", "gelu");
    expectError("hidden_size", 0);
    expectError("hidden_size", -1);
    expectError("hidden_size", "128");
    expectError("hidden_size", 128.5);
    expectError("hidden_size", 1e30);
    expectError("vocab_size", nullptr);
    expectError("num_hidden_layers", 100000);
    expectError("kv_lora_rank", nullptr);
    expectError("qk_rope_head_dim", 15);
    expectError("scoring_func", "relu");
    expectError("topk_method", "random");
    expectError("n_group", 5);
    expectError("num_experts_per_tok", 17);
    expectError("topk_group", 9);
    expectError("rope_scaling/type", "linear");
    expectError("rope_scaling/factor", "forty");
    expectError("attention_bias", true);
    expectError("norm_topk_prob", "yes");
    expectError("eos_token_id", 512);
    expectError("quantization_config", {{"quant_method", "awq"}});
    expectError("quantization_config", {{"quant_method", "fp8"}, {"weight_block_size", {64, 64}}});
}

TEST_F(Config, MoeLayersFollowFrequencyAndFirstDense)
{
    object["num_hidden_layers"] = 6;
    object["first_k_dense_replace"] = 2;
    object["moe_layer_freq"] = 2;
    EXPECT_EQ(load().moeLayers(), (std::vector<std::int32_t>{2, 4}));
}

TEST_F(Config, GroupedQueryAttention)
{
    object = readJsonFile(testData + "/llama-tiny/config.json");
    const ModelConfig llama = load();
    EXPECT_EQ(llama.gqa().numKeyValueHeads, 2);
    EXPECT_EQ(llama.cacheWidth(), 128);
    EXPECT_EQ(llama.rope.pairs, kernels::RopePairs::Halves);
    ASSERT_TRUE(llama.rope.llama3);
    EXPECT_DOUBLE_EQ(llama.rope.llama3->factor, 8);
    EXPECT_FALSE(llama.gqa().qkvBias);
    expectError("num_key_value_heads", 3);
    expectError("head_dim", 33);
    expectError("attention_bias", true);
    expectError("mlp_bias", true);
    expectError("rope_scaling/high_freq_factor", 0.5);
    expectError("quantization_config", {{"quant_method", "gptq"}});

    object = readJsonFile(testData + "/qwen2-tiny/config.json");
    const ModelConfig qwen2 = load();
    EXPECT_TRUE(qwen2.gqa().qkvBias);
    EXPECT_FALSE(qwen2.gqa().qkNorm);
    EXPECT_EQ(qwen2.gqa().headDim, 32);
    EXPECT_FALSE(qwen2.moe);
    expectError("use_sliding_window", true);
    expectError("num_attention_heads", 7);
}

TEST_F(Config, QwenMixturesOfExperts)
{
    object = readJsonFile(testData + "/qwen2-tiny/config.json");
    object.update({{"model_type", "qwen3_moe"},
                   {"num_experts", 8},
                   {"num_experts_per_tok", 2},
                   {"moe_intermediate_size", 64},
                   {"norm_topk_prob", true},
                   {"num_hidden_layers", 6},
                   {"decoder_sparse_step", 2},
                   {"mlp_only_layers", {3}}});
    const ModelConfig c = load();
    EXPECT_TRUE(c.gqa().qkNorm);
    EXPECT_TRUE(c.moe->normTopkProb);
    EXPECT_EQ(c.moe->scoring, ScoringFunction::Softmax);
    EXPECT_EQ(c.moeLayers(), (std::vector<std::int32_t>{1, 5}));
    expectError("mlp_only_layers", {6});
    expectError("num_experts_per_tok", 9);
}

TEST(GenerationConfig, DefaultsAndGreedy)
{
    const TemporaryDirectory directory;
    EXPECT_FLOAT_EQ(loadGenerationConfig(directory.path()).sampling.temperature, 1);
    std::ofstream(directory.path() / "generation_config.json")
        << R"({"temperature": 0.6, "top_p": 0.95, "top_k": 40, "eos_token_id": [1, 5]})";
    const GenerationConfig config = loadGenerationConfig(directory.path());
    EXPECT_FLOAT_EQ(config.sampling.temperature, 0.6F);
    EXPECT_EQ(config.sampling.topK, 40);
    EXPECT_EQ(config.eosTokenIds, (std::vector<TokenId>{1, 5}));
    std::ofstream(directory.path() / "generation_config.json")
        << R"({"do_sample": false, "temperature": 0.6})";
    EXPECT_FLOAT_EQ(loadGenerationConfig(directory.path()).sampling.temperature, 0);
    std::ofstream(directory.path() / "generation_config.json") << R"({"top_p": 3})";
    EXPECT_THROW(loadGenerationConfig(directory.path()), Error);
}

} // namespace
} // namespace bathyscope
