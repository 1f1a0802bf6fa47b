// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/prompt.h"

namespace bathyscope {

std::vector<TokenId> encodePrompt(const Tokenizer &tokenizer, const std::vector<PromptPiece> &pieces)
{
    std::vector<TokenId> ids;
    for (const PromptPiece &piece : pieces) {
        const auto treatment = piece.scaffolding ? AddedTokens::Recognise : AddedTokens::Plain;
        const std::vector<TokenId> encoded = tokenizer.encode(piece.text, treatment);
        ids.insert(ids.end(), encoded.begin(), encoded.end());
    }
    return ids;
}

std::string joined(const std::vector<PromptPiece> &pieces)
{
    std::string text;
    for (const PromptPiece &piece : pieces) {
        text += piece.text;
    }
    return text;
}

} // namespace bathyscope
