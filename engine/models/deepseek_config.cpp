// SPDX-License-Identifier: GPL-3.0-or-later
//
// config.json of DeepSeek-V2, V2-Lite, V3 and R1, as on the public hub.
#include "engine/limits.h"
#include "engine/models/architectures.h"

#include <fmt/format.h>

namespace bathyscope {

namespace {

using limits::maxExperts;
using limits::maxWidth;

std::int32_t width(const ConfigReader &c, const std::string &key)
{
    return static_cast<std::int32_t>(c.integer(key, 1, maxWidth));
}

void requireText(const ConfigReader &c, const std::string &key, const std::string &only)
{
    if (c.textOr(key, only) != only)
        c.fail(key, '"' + only + '"');
}

YarnConfig readYarn(const ConfigReader &c)
{
    YarnConfig yarn;
    yarn.factor = c.number("factor", 1, 1e6);
    yarn.originalMaxPositionEmbeddings = c.number("original_max_position_embeddings", 1, limits::maxContext);
    yarn.betaFast = c.numberOr("beta_fast", 32, 1e-3, 1e6);
    yarn.betaSlow = c.numberOr("beta_slow", 1, 1e-3, 1e6);
    yarn.mscale = c.numberOr("mscale", 1, 0, 100);
    yarn.mscaleAllDim = c.numberOr("mscale_all_dim", 0, 0, 100);
    return yarn;
}

RopeConfig readRope(const ConfigReader &c)
{
    RopeConfig rope;
    rope.pairs =
        c.booleanOr("rope_interleave", true) ? kernels::RopePairs::Adjacent : kernels::RopePairs::Halves;
    const auto parameters = c.object("rope_parameters"); // how newer exports write theta and scaling
    const auto scaling = parameters ? parameters : c.object("rope_scaling");
    rope.theta = parameters && parameters->has("rope_theta") ? parameters->number("rope_theta", 1, 1e12)
                                                             : c.numberOr("rope_theta", 10000, 1, 1e12);
    if (!scaling)
        return rope;
    const std::string key = scaling->has("rope_type") ? "rope_type" : "type";
    const std::string type = scaling->text(key);
    if (type == "yarn")
        rope.yarn = readYarn(*scaling);
    else if (type != "default")
        scaling->fail(key, "\"yarn\" or \"default\"");
    return rope;
}

MlaConfig readMla(const ConfigReader &c)
{
    MlaConfig mla;
    mla.qLoraRank = static_cast<std::int32_t>(c.integerOr("q_lora_rank", 0, 0, maxWidth));
    mla.kvLoraRank = width(c, "kv_lora_rank");
    mla.qkNopeHeadDim = width(c, "qk_nope_head_dim");
    mla.qkRopeHeadDim = width(c, "qk_rope_head_dim");
    if (mla.qkRopeHeadDim % 2 != 0)
        c.fail("qk_rope_head_dim", "an even number");
    mla.vHeadDim = width(c, "v_head_dim");
    return mla;
}

TopkMethod readTopkMethod(const ConfigReader &c, const std::string &fallback)
{
    const std::string method = c.textOr("topk_method", fallback);
    if (method == "greedy")
        return TopkMethod::Greedy;
    if (method == "group_limited_greedy")
        return TopkMethod::GroupLimitedGreedy;
    if (method == "noaux_tc")
        return TopkMethod::NoauxTc;
    c.fail("topk_method", "\"greedy\", \"group_limited_greedy\" or \"noaux_tc\"");
}

ScoringFunction readScoring(const ConfigReader &c, const std::string &fallback)
{
    const std::string scoring = c.textOr("scoring_func", fallback);
    if (scoring == "softmax")
        return ScoringFunction::Softmax;
    if (scoring == "sigmoid")
        return ScoringFunction::Sigmoid;
    c.fail("scoring_func", "\"softmax\" or \"sigmoid\"");
}

void checkGroups(const ConfigReader &c, const MoeConfig &moe)
{
    if (moe.nRoutedExperts % moe.nGroup != 0)
        c.fail("n_group", fmt::format("a divisor of n_routed_experts ({})", moe.nRoutedExperts));
    const std::int32_t groupSize = moe.nRoutedExperts / moe.nGroup;
    const bool limited = moe.topkMethod != TopkMethod::Greedy;
    if (limited && moe.topkGroup * groupSize < moe.numExpertsPerTok)
        c.fail("topk_group",
               fmt::format("groups with at least num_experts_per_tok ({}) experts", moe.numExpertsPerTok));
    if (moe.topkMethod == TopkMethod::NoauxTc && groupSize < 2 && moe.nGroup > 1)
        c.fail("n_group", "groups of at least two experts, whose two best are summed");
}

MoeConfig readMoe(const ConfigReader &c, bool v3)
{
    MoeConfig moe;
    moe.nRoutedExperts = static_cast<std::int32_t>(c.integer("n_routed_experts", 1, maxExperts));
    moe.nSharedExperts = static_cast<std::int32_t>(c.integerOr("n_shared_experts", 0, 0, maxExperts));
    moe.numExpertsPerTok = static_cast<std::int32_t>(c.integer("num_experts_per_tok", 1, moe.nRoutedExperts));
    moe.moeIntermediateSize = width(c, "moe_intermediate_size");
    moe.nGroup = static_cast<std::int32_t>(c.integerOr("n_group", 1, 1, moe.nRoutedExperts));
    moe.topkGroup = static_cast<std::int32_t>(c.integerOr("topk_group", 1, 1, moe.nGroup));
    moe.scoring = readScoring(c, v3 ? "sigmoid" : "softmax");
    moe.topkMethod = readTopkMethod(c, v3 ? "noaux_tc" : "greedy");
    moe.normTopkProb = c.booleanOr("norm_topk_prob", v3);
    moe.scaleNormalised = v3;
    moe.routedScalingFactor = c.numberOr("routed_scaling_factor", 1, 0, 1e4);
    checkGroups(c, moe);
    return moe;
}

void readQuantization(const ConfigReader &c, ModelConfig &config)
{
    const auto quantization = c.object("quantization_config");
    if (!quantization)
        return;
    if (quantization->text("quant_method") != "fp8")
        quantization->fail("quant_method", "\"fp8\"");
    requireText(*quantization, "fmt", "e4m3");
    quantization->requireBlock("weight_block_size", kernels::scaleBlock);
    config.fp8Blocks = true;
}

void readLayers(const ConfigReader &c, ModelConfig &config, bool v3)
{
    config.layerIsMoe.assign(static_cast<std::size_t>(config.numHiddenLayers), false);
    if (!c.has("n_routed_experts")) {
        config.intermediateSize = width(c, "intermediate_size");
        return;
    }
    config.moe = readMoe(c, v3);
    const std::int64_t firstDense = c.integerOr("first_k_dense_replace", 0, 0, config.numHiddenLayers);
    const std::int64_t frequency = c.integerOr("moe_layer_freq", 1, 1, limits::maxLayers);
    for (std::int32_t i = 0; i < config.numHiddenLayers; ++i)
        config.layerIsMoe[static_cast<std::size_t>(i)] = i >= firstDense && i % frequency == 0;
    config.intermediateSize = width(c, "intermediate_size");
}

ModelConfig readDeepseekConfig(const ConfigReader &c, bool v3)
{
    ModelConfig config;
    config.modelType = v3 ? "deepseek_v3" : "deepseek_v2";
    config.vocabSize =
        static_cast<std::int32_t>(c.integer("vocab_size", 1, std::int64_t(limits::maxVocabulary)));
    config.hiddenSize = width(c, "hidden_size");
    config.numHiddenLayers = static_cast<std::int32_t>(c.integer("num_hidden_layers", 1, limits::maxLayers));
    config.numAttentionHeads = static_cast<std::int32_t>(c.integer("num_attention_heads", 1, maxWidth));
    config.maxPositionEmbeddings =
        static_cast<std::int32_t>(c.integer("max_position_embeddings", 1, limits::maxContext));
    config.rmsNormEps = c.numberOr("rms_norm_eps", 1e-6, 0, 1);
    requireText(c, "hidden_act", "silu");
    if (c.booleanOr("attention_bias", false))
        c.fail("attention_bias", "false");
    config.rope = readRope(c);
    config.attention = readMla(c);
    readLayers(c, config, v3);
    config.numNextnPredictLayers =
        static_cast<std::int32_t>(c.integerOr("num_nextn_predict_layers", 0, 0, 8));
    config.tieWordEmbeddings = c.booleanOr("tie_word_embeddings", false);
    readQuantization(c, config);
    const auto bos = c.tokenIds("bos_token_id", config.vocabSize);
    config.bosTokenId = bos.empty() ? -1 : bos.front();
    config.eosTokenIds = c.tokenIds("eos_token_id", config.vocabSize);
    return config;
}

} // namespace

ModelConfig readDeepseekV2Config(const ConfigReader &config)
{
    return readDeepseekConfig(config, false);
}

ModelConfig readDeepseekV3Config(const ConfigReader &config)
{
    return readDeepseekConfig(config, true);
}

} // namespace bathyscope
