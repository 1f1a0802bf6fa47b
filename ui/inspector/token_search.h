// SPDX-License-Identifier: GPL-3.0-or-later
//
// Finding tokens of the vocabulary by what they say.
#pragma once

#include "engine/records.h"

#include <QString>

#include <vector>

namespace bathyscope::ui {

/// Ids of at most `limit` tokens that hold `text` (where ␣ stands for a space and ↵ for a line end), or of
/// the one with the number in "#123". Tokens that are the text come first, with or without a space before
/// it, then those that begin with it, then the others; of equals the shorter one, then the lower id.
std::vector<TokenId> findTokens(const Vocabulary &vocabulary, const QString &text, std::size_t limit);

} // namespace bathyscope::ui
