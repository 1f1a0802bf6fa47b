// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/models/architectures.h"

#include "engine/error.h"
#include "engine/json_file.h"
#include "engine/limits.h"

#include <cmath>

namespace bathyscope {

namespace {

constexpr Architecture architectures[] = {
    {"deepseek_v2", readDeepseekV2Config},
    {"deepseek_v3", readDeepseekV3Config},
    {"llama", readLlamaConfig},
    {"qwen2", readQwen2Config},
    {"qwen3", readQwen3Config},
    {"qwen3_moe", readQwen3MoeConfig},
};

} // namespace

const Architecture *findArchitecture(std::string_view modelType)
{
    for (const Architecture &architecture : architectures)
        if (architecture.modelType == modelType)
            return &architecture;
    return nullptr;
}

std::string supportedArchitectures()
{
    std::string names;
    for (const Architecture &architecture : architectures)
        names += (names.empty() ? "" : ", ") + std::string(architecture.modelType);
    return names;
}

ModelConfig loadModelConfig(const std::filesystem::path &configJson)
{
    const nlohmann::json object = readJsonFile(configJson);
    const ConfigReader config(object, configJson);
    const std::string modelType = config.text("model_type");
    const Architecture *architecture = findArchitecture(modelType);
    if (!architecture)
        config.fail("model_type", "a model of a kind that can run (" + supportedArchitectures() + ")");
    return architecture->readConfig(config);
}

GenerationConfig loadGenerationConfig(const std::filesystem::path &modelDirectory)
{
    GenerationConfig generation;
    const auto file = modelDirectory / "generation_config.json";
    if (!std::filesystem::exists(file))
        return generation;
    const nlohmann::json object = readJsonFile(file);
    const ConfigReader config(object, file);
    SamplingParameters &s = generation.sampling;
    s.temperature = static_cast<float>(config.numberOr("temperature", 1, 0, 100));
    if (!config.booleanOr("do_sample", true))
        s.temperature = 0;
    s.topK = static_cast<std::int32_t>(config.integerOr("top_k", 0, 0, INT32_MAX));
    s.topP = static_cast<float>(config.numberOr("top_p", 1, 0, 1));
    s.minP = static_cast<float>(config.numberOr("min_p", 0, 0, 1));
    s.repetitionPenalty = static_cast<float>(config.numberOr("repetition_penalty", 1, 0.01, 100));
    generation.eosTokenIds = config.tokenIds("eos_token_id", limits::maxVocabulary);
    return generation;
}

ModelConfig readCommonConfig(const ConfigReader &c)
{
    ModelConfig config;
    config.modelType = c.text("model_type");
    config.vocabSize =
        static_cast<std::int32_t>(c.integer("vocab_size", 1, std::int64_t(limits::maxVocabulary)));
    config.hiddenSize = c.width("hidden_size");
    config.intermediateSize = c.width("intermediate_size");
    config.numHiddenLayers = static_cast<std::int32_t>(c.integer("num_hidden_layers", 1, limits::maxLayers));
    config.layerIsMoe.assign(static_cast<std::size_t>(config.numHiddenLayers), false);
    config.numAttentionHeads =
        static_cast<std::int32_t>(c.integer("num_attention_heads", 1, limits::maxWidth));
    config.maxPositionEmbeddings =
        static_cast<std::int32_t>(c.integer("max_position_embeddings", 1, limits::maxContext));
    config.rmsNormEps = c.numberOr("rms_norm_eps", 1e-6, 0, 1);
    c.requireText("hidden_act", "silu");
    c.requireFalse("attention_bias");
    config.tieWordEmbeddings = c.booleanOr("tie_word_embeddings", false);
    const auto bos = c.tokenIds("bos_token_id", config.vocabSize);
    config.bosTokenId = bos.empty() ? -1 : bos.front();
    config.eosTokenIds = c.tokenIds("eos_token_id", config.vocabSize);
    return config;
}

void readQuantization(const ConfigReader &c, ModelConfig &config)
{
    const auto quantization = c.object("quantization_config");
    if (!quantization)
        return;
    if (quantization->text("quant_method") != "fp8")
        quantization->fail("quant_method", "\"fp8\" (take a checkpoint in BF16, or a GGUF file)");
    quantization->requireText("fmt", "e4m3");
    quantization->requireBlock("weight_block_size", kernels::scaleBlock);
    config.fp8Blocks = true;
}

std::int32_t ModelConfig::cacheWidth() const
{
    return std::visit([](const auto &kind) { return kind.cacheWidth(); }, attention);
}

std::int32_t ModelConfig::ropeDimensions() const
{
    return std::visit([](const auto &kind) { return kind.ropeDimensions(); }, attention);
}

std::vector<std::int32_t> ModelConfig::moeLayers() const
{
    std::vector<std::int32_t> layers;
    for (std::size_t i = 0; i < layerIsMoe.size(); ++i)
        if (layerIsMoe[i])
            layers.push_back(static_cast<std::int32_t>(i));
    return layers;
}

float ModelConfig::softmaxScale() const
{
    const std::int32_t headDim = std::visit([](const auto &kind) { return kind.qkHeadDim(); }, attention);
    double scale = 1.0 / std::sqrt(double(headDim));
    if (rope.yarn && rope.yarn->mscaleAllDim != 0 && rope.yarn->factor > 1) {
        // DeepSeek-V2's modeling code: attention sharpens with the extension factor, on both q and k.
        const double mscale = 0.1 * rope.yarn->mscaleAllDim * std::log(rope.yarn->factor) + 1.0;
        scale *= mscale * mscale;
    }
    return static_cast<float>(scale);
}

} // namespace bathyscope
