// SPDX-License-Identifier: GPL-3.0-or-later
//
// The words of replies in table token_chunks: a row for each batch while a reply streams, and as soon as 256
// tokens are together one row in place of theirs. So every token is written at most twice, however small the
// batches are.
#pragma once

#include "engine/records.h"
#include "storage/history_types.h"

#include <span>
#include <string>
#include <vector>

namespace bathyscope::storage {

class Database;

/// Call it inside a transaction. Returns the index of the first of them in the reply.
std::int64_t appendChunks(Database &database, MessageId message, std::span<const TokenRecord> tokens);

struct StoredTokens {
    std::vector<TokenRecord> tokens; ///< all, or those before the first damaged chunk
    std::string damage; ///< for people; empty when all is well
};
StoredTokens loadTokens(Database &database, MessageId message);

/// A reply's text without markers. Damaged chunks are left out.
struct ReplyText {
    std::string answer;
    std::string reasoning;
};
ReplyText joinText(Database &database, MessageId message);

} // namespace bathyscope::storage
