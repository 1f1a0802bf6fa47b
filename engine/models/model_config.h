// SPDX-License-Identifier: GPL-3.0-or-later
//
// Validated hyperparameters of a model. Names follow the hub's config.json.
#pragma once

#include "engine/records.h"
#include "kernels/cpu/operations.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bathyscope {

/// Position scaling after YaRN (arXiv 2309.00071), with DeepSeek's two mscales.
struct YarnConfig {
    double factor = 1;
    double originalMaxPositionEmbeddings = 0;
    double betaFast = 32;
    double betaSlow = 1;
    double mscale = 1;
    double mscaleAllDim = 0;
};

/// Llama 3.1's scaling: long waves are stretched, short ones kept, those between blended (transformers,
/// modeling_rope_utils.py, "llama3").
struct Llama3RopeConfig {
    double factor = 1;
    double lowFreqFactor = 1;
    double highFreqFactor = 4;
    double originalMaxPositionEmbeddings = 0;
};

struct RopeConfig {
    double theta = 10000;
    kernels::RopePairs pairs = kernels::RopePairs::Adjacent;
    std::optional<YarnConfig> yarn; ///< either this,
    std::optional<Llama3RopeConfig> llama3; ///< or this, or neither
    std::vector<float> frequencyFactors; ///< divisors of the frequencies, as GGUF files give them; or empty
};

/// Multi-head latent attention (DeepSeek-V2, section 2.1).
struct MlaConfig {
    std::int32_t qLoraRank = 0; ///< 0: queries are projected directly
    std::int32_t kvLoraRank = 0;
    std::int32_t qkNopeHeadDim = 0;
    std::int32_t qkRopeHeadDim = 0;
    std::int32_t vHeadDim = 0;

    [[nodiscard]] std::int32_t qkHeadDim() const { return qkNopeHeadDim + qkRopeHeadDim; }
    [[nodiscard]] std::int32_t cacheWidth() const { return kvLoraRank + qkRopeHeadDim; }
    [[nodiscard]] std::int32_t ropeDimensions() const { return qkRopeHeadDim; }
};

/// Grouped-query attention (arXiv 2305.13245): several heads share one head of keys and values.
struct GqaConfig {
    std::int32_t numKeyValueHeads = 0; ///< a divisor of the number of heads
    std::int32_t headDim = 0; ///< of queries, keys and values
    bool qkvBias = false; ///< Qwen 2
    bool qkNorm = false; ///< Qwen 3: queries and keys are normalised head by head before they are rotated

    [[nodiscard]] std::int32_t qkHeadDim() const { return headDim; }
    [[nodiscard]] std::int32_t keyWidth() const { return numKeyValueHeads * headDim; }
    [[nodiscard]] std::int32_t cacheWidth() const { return 2 * keyWidth(); }
    [[nodiscard]] std::int32_t ropeDimensions() const { return headDim; }
};

enum class ScoringFunction : std::uint8_t { Softmax, Sigmoid };

/// How the experts of a token are chosen (`topk_method`).
enum class TopkMethod : std::uint8_t {
    Greedy, ///< the best of all
    GroupLimitedGreedy, ///< the best of the `topk_group` groups with the best expert (V2)
    NoauxTc ///< by score plus correction bias, of the groups with the best sum of two (V3)
};

struct MoeConfig {
    std::int32_t nRoutedExperts = 0;
    std::int32_t nSharedExperts = 0;
    std::int32_t numExpertsPerTok = 0;
    std::int32_t moeIntermediateSize = 0;
    std::int32_t nGroup = 1;
    std::int32_t topkGroup = 1;
    ScoringFunction scoring = ScoringFunction::Softmax;
    TopkMethod topkMethod = TopkMethod::Greedy;
    bool normTopkProb = false;
    /// Whether normalised weights are scaled too: V3 does, V2's code scales only what it did not normalise.
    bool scaleNormalised = true;
    double routedScalingFactor = 1;
};

struct ModelConfig {
    std::string modelType; ///< "deepseek_v3"
    std::int32_t vocabSize = 0;
    std::int32_t hiddenSize = 0;
    std::int32_t intermediateSize = 0; ///< of the dense layers
    std::int32_t numHiddenLayers = 0;
    std::int32_t numAttentionHeads = 0;
    std::int32_t maxPositionEmbeddings = 0;
    double rmsNormEps = 0;
    RopeConfig rope;
    std::variant<MlaConfig, GqaConfig> attention; ///< of all layers
    std::optional<MoeConfig> moe;
    std::vector<bool> layerIsMoe; ///< [numHiddenLayers]
    std::int32_t numNextnPredictLayers = 0;
    bool tieWordEmbeddings = false;
    bool fp8Blocks = false; ///< weights are F8_E4M3 with 128×128 scales where `weight_scale_inv` exists
    TokenId bosTokenId = -1; ///< -1: none
    std::vector<TokenId> eosTokenIds;

    [[nodiscard]] const MlaConfig &mla() const { return std::get<MlaConfig>(attention); }
    [[nodiscard]] const GqaConfig &gqa() const { return std::get<GqaConfig>(attention); }
    [[nodiscard]] std::int32_t cacheWidth() const; ///< values that a token and layer take in the cache
    [[nodiscard]] std::int32_t ropeDimensions() const; ///< rotated values of a head
    [[nodiscard]] std::vector<std::int32_t> moeLayers() const;
    [[nodiscard]] float softmaxScale() const; ///< 1/sqrt(qk head dim), with YaRN's factor
};

/// Reads and validates a config.json. An unknown or contradictory value is an Error that names the key.
ModelConfig loadModelConfig(const std::filesystem::path &configJson);

/// Sampling defaults and end-of-sequence ids of a generation_config.json beside the model, if there is one.
struct GenerationConfig {
    SamplingParameters sampling;
    std::vector<TokenId> eosTokenIds;
};
GenerationConfig loadGenerationConfig(const std::filesystem::path &modelDirectory);

} // namespace bathyscope
