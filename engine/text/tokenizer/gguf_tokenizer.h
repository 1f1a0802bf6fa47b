// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <filesystem>

namespace bathyscope {

/// The tokenizer in a GGUF file's metadata (`tokenizer.ggml.*`, model "gpt2") as the tokenizer.json that it
/// was made from: the pre-tokenizer and what goes with it are known by their name. Throws Error naming file
/// and key.
nlohmann::json hubTokenizer(const nlohmann::json &metadata, const std::filesystem::path &file);

} // namespace bathyscope
