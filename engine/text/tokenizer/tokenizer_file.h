// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a tokenizer.json says, checked.
#pragma once

#include "engine/text/tokenizer/added_tokens.h"
#include "engine/text/tokenizer/byte_pair_encoder.h"
#include "engine/text/tokenizer/pre_tokenizer.h"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>

namespace bathyscope {

struct TokenizerFile {
    bool composes = false; ///< the normalizer is NFC
    std::vector<AddedToken> addedTokens;
    Vocabulary vocabulary; ///< raw bytes by id
    PreTokenizer preTokenizer;
    BytePairEncoder encoder;
};

/// Throws Error naming file and key for anything missing, malformed or of an unsupported kind.
TokenizerFile readTokenizerFile(const std::filesystem::path &file);

/// The same from what a tokenizer.json holds; `file` is named in errors.
TokenizerFile readTokenizer(const nlohmann::json &root, const std::filesystem::path &file);

} // namespace bathyscope
