// SPDX-License-Identifier: GPL-3.0-or-later
//
// The table of architectures. A new one made of known blocks is one new file and one line in the table.
#pragma once

#include "engine/models/config_reader.h"
#include "engine/models/model_config.h"

#include <string_view>

namespace bathyscope {

/// How one `model_type` of a config.json is read.
struct Architecture {
    std::string_view modelType;
    ModelConfig (*readConfig)(const ConfigReader &config);
};

/// nullptr for a type that is not supported.
const Architecture *findArchitecture(std::string_view modelType);

/// "deepseek_v2, deepseek_v3", for errors.
std::string supportedArchitectures();

// One line for each file of this folder that describes an architecture.
ModelConfig readDeepseekV2Config(const ConfigReader &config);
ModelConfig readDeepseekV3Config(const ConfigReader &config);
ModelConfig readLlamaConfig(const ConfigReader &config);
ModelConfig readQwen2Config(const ConfigReader &config);
ModelConfig readQwen3Config(const ConfigReader &config);
ModelConfig readQwen3MoeConfig(const ConfigReader &config);

/// What all families' files begin with: sizes, norm, activation, special tokens.
ModelConfig readCommonConfig(const ConfigReader &config);

/// `quantization_config`: none, or FP8 blocks of 128×128 (DeepSeek-V3, README_WEIGHTS.md).
void readQuantization(const ConfigReader &config, ModelConfig &model);

/// `rope_theta` with `rope_scaling`, or `rope_parameters`. `usual`: the pairs where `rope_interleave` says
/// nothing.
RopeConfig readRope(const ConfigReader &config, kernels::RopePairs usual);

} // namespace bathyscope
