// SPDX-License-Identifier: GPL-3.0-or-later
//
// config.json of Llama 3 and of Qwen 2, 2.5 and 3, as on the public hub: grouped-query attention with a dense
// or a mixture-of-experts feed-forward block.
#include "engine/limits.h"
#include "engine/models/architectures.h"

#include <fmt/format.h>

namespace bathyscope {

namespace {

GqaConfig readGqa(const ConfigReader &c, const ModelConfig &config)
{
    const std::int32_t heads = config.numAttentionHeads;
    GqaConfig gqa;
    gqa.numKeyValueHeads = static_cast<std::int32_t>(c.integerOr("num_key_value_heads", heads, 1, heads));
    if (heads % gqa.numKeyValueHeads != 0)
        c.fail("num_key_value_heads", fmt::format("a divisor of num_attention_heads ({})", heads));
    if (!c.has("head_dim") && config.hiddenSize % heads != 0)
        c.fail("num_attention_heads", fmt::format("a divisor of hidden_size ({})", config.hiddenSize));
    gqa.headDim = c.has("head_dim") ? c.width("head_dim") : config.hiddenSize / heads;
    if (gqa.headDim % 2 != 0)
        c.fail("head_dim", "an even number", fmt::format("{}", gqa.headDim));
    if (std::int64_t(heads) * gqa.headDim > limits::maxWidth)
        c.fail("head_dim", fmt::format("at most {} for {} heads", limits::maxWidth / heads, heads));
    return gqa;
}

ModelConfig readGroupedConfig(const ConfigReader &c)
{
    ModelConfig config = readCommonConfig(c);
    config.rope = readRope(c, kernels::RopePairs::Halves);
    config.attention = readGqa(c, config);
    c.requireFalse("use_sliding_window");
    readQuantization(c, config);
    return config;
}

MoeConfig readQwenMoe(const ConfigReader &c)
{
    MoeConfig moe;
    moe.nRoutedExperts = static_cast<std::int32_t>(c.integer("num_experts", 1, limits::maxExperts));
    moe.numExpertsPerTok = static_cast<std::int32_t>(c.integer("num_experts_per_tok", 1, moe.nRoutedExperts));
    moe.moeIntermediateSize = c.width("moe_intermediate_size");
    moe.normTopkProb = c.booleanOr("norm_topk_prob", false);
    return moe;
}

} // namespace

ModelConfig readLlamaConfig(const ConfigReader &c)
{
    c.requireFalse("mlp_bias");
    return readGroupedConfig(c);
}

ModelConfig readQwen2Config(const ConfigReader &c)
{
    ModelConfig config = readGroupedConfig(c);
    std::get<GqaConfig>(config.attention).qkvBias = true;
    return config;
}

ModelConfig readQwen3Config(const ConfigReader &c)
{
    ModelConfig config = readGroupedConfig(c);
    std::get<GqaConfig>(config.attention).qkNorm = true;
    return config;
}

ModelConfig readQwen3MoeConfig(const ConfigReader &c)
{
    ModelConfig config = readQwen3Config(c);
    config.moe = readQwenMoe(c);
    const std::int64_t step = c.integerOr("decoder_sparse_step", 1, 1, limits::maxLayers);
    for (std::int32_t i = 0; i < config.numHiddenLayers; ++i)
        config.layerIsMoe[static_cast<std::size_t>(i)] = (i + 1) % step == 0;
    for (const std::int32_t layer : c.integers("mlp_only_layers", 0, config.numHiddenLayers - 1))
        config.layerIsMoe[static_cast<std::size_t>(layer)] = false;
    return config;
}

} // namespace bathyscope
