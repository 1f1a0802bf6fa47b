// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/checkpoint/gguf_checkpoint.h"
#include "engine/checkpoint/tensor_source.h"
#include "engine/models/model_config.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace bathyscope {

/// A model as it lies on disk, in either layout: everything but an executor.
struct ModelFiles {
    std::string name; ///< for people
    ModelConfig config;
    GenerationConfig generation;
    Tokenizer tokenizer;
    std::optional<ChatTemplate> chatTemplate;
    std::string templateError; ///< why there is none
    std::shared_ptr<const TensorSource> weights;
    std::string fingerprint; ///< of the weights
    std::int64_t weightBytes = 0;
};

/// Opens a directory in the hub's layout, a GGUF file (any part of a split one), or a directory that holds
/// one GGUF model and nothing of the hub. Throws Error.
ModelFiles openModelFiles(const std::filesystem::path &path);

/// Configuration and weights alone, for measuring.
struct WeightFiles {
    ModelConfig config;
    std::shared_ptr<const TensorSource> weights;
};
WeightFiles openWeightFiles(const std::filesystem::path &path, GgufContents contents = GgufContents::All);

/// tokenizer.json of a hub directory. Throws Error where there is none.
std::filesystem::path tokenizerFile(const std::filesystem::path &directory);

/// The GGUF file that a path is or holds; none for a directory in the hub's layout. Throws Error for a
/// directory with several models.
std::optional<std::filesystem::path> ggufFile(const std::filesystem::path &path);

} // namespace bathyscope
