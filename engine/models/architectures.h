// SPDX-License-Identifier: GPL-3.0-or-later
//
// The table of architectures. A new one made of known blocks is one new file and one line in the table.
#pragma once

#include "engine/models/config_reader.h"
#include "engine/models/model_config.h"
#include "engine/models/model_weights.h"

#include <string_view>

namespace bathyscope {

/// How one `model_type` of a config.json is read and where its weights are found.
struct Architecture {
    std::string_view modelType;
    ModelConfig (*readConfig)(const ConfigReader &config);
    ModelWeights (*bindWeights)(const ModelConfig &config, const TensorSource &source);
};

/// nullptr for a type that is not supported.
const Architecture *findArchitecture(std::string_view modelType);

/// "deepseek_v2, deepseek_v3", for errors.
std::string supportedArchitectures();

// One line for each file of this folder that describes an architecture.
ModelConfig readDeepseekV2Config(const ConfigReader &config);
ModelConfig readDeepseekV3Config(const ConfigReader &config);
ModelWeights bindDeepseekWeights(const ModelConfig &config, const TensorSource &source);

} // namespace bathyscope
