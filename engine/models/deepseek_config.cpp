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

MlaConfig readMla(const ConfigReader &c)
{
    MlaConfig mla;
    mla.qLoraRank = static_cast<std::int32_t>(c.integerOr("q_lora_rank", 0, 0, maxWidth));
    mla.kvLoraRank = c.width("kv_lora_rank");
    mla.qkNopeHeadDim = c.width("qk_nope_head_dim");
    mla.qkRopeHeadDim = c.width("qk_rope_head_dim");
    if (mla.qkRopeHeadDim % 2 != 0)
        c.fail("qk_rope_head_dim", "an even number");
    mla.vHeadDim = c.width("v_head_dim");
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
    moe.moeIntermediateSize = c.width("moe_intermediate_size");
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

void readLayers(const ConfigReader &c, ModelConfig &config, bool v3)
{
    if (!c.has("n_routed_experts"))
        return;
    config.moe = readMoe(c, v3);
    const std::int64_t firstDense = c.integerOr("first_k_dense_replace", 0, 0, config.numHiddenLayers);
    const std::int64_t frequency = c.integerOr("moe_layer_freq", 1, 1, limits::maxLayers);
    for (std::int32_t i = 0; i < config.numHiddenLayers; ++i)
        config.layerIsMoe[static_cast<std::size_t>(i)] = i >= firstDense && i % frequency == 0;
}

ModelConfig readDeepseekConfig(const ConfigReader &c, bool v3)
{
    ModelConfig config = readCommonConfig(c);
    config.rope = readRope(c, kernels::RopePairs::Adjacent);
    config.attention = readMla(c);
    readLayers(c, config, v3);
    config.numNextnPredictLayers =
        static_cast<std::int32_t>(c.integerOr("num_nextn_predict_layers", 0, 0, 8));
    readQuantization(c, config);
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
