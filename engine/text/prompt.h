// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

#include <string>
#include <vector>

namespace bathyscope {

/// Ids of a rendered prompt. Every piece is tokenised by itself: added tokens are recognised in scaffolding
/// and are plain text in content.
std::vector<TokenId> encodePrompt(const Tokenizer &tokenizer, const std::vector<PromptPiece> &pieces);

/// The prompt as one text.
std::string joined(const std::vector<PromptPiece> &pieces);

} // namespace bathyscope
