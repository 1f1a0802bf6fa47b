// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/token_store.h"

#include "storage/database.h"
#include "storage/token_blob.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace bathyscope::storage {

namespace {

void insertChunk(Database &database, MessageId message, std::int64_t first,
                 std::span<const TokenRecord> tokens)
{
    database.prepare("INSERT INTO token_chunks (message, first, count, data) VALUES (?1, ?2, ?3, ?4)")
        .bind(1, message)
        .bind(2, first)
        .bind(3, static_cast<std::int64_t>(tokens.size()))
        .bindBlob(4, packTokens(tokens))
        .run();
}

/// The tokens of a reply from index `first`; throws when one of their chunks is damaged.
std::vector<TokenRecord> unpackFrom(Database &database, MessageId message, std::int64_t first)
{
    Statement select =
        database.prepare("SELECT data FROM token_chunks WHERE message = ?1 AND first >= ?2 ORDER BY first");
    select.bind(1, message).bind(2, first);
    std::vector<TokenRecord> tokens;
    while (select.step()) {
        std::vector<TokenRecord> chunk = unpackTokens(select.blob(0));
        std::move(chunk.begin(), chunk.end(), std::back_inserter(tokens));
    }
    return tokens;
}

/// Puts one chunk in the place of all from index `first`, which hold kTokensPerBlob tokens.
void joinChunks(Database &database, MessageId message, std::int64_t first)
{
    std::vector<TokenRecord> tokens;
    try {
        tokens = unpackFrom(database, message, first);
    } catch (const MediumError &) {
        throw;
    } catch (const Error &) {
        return; // A damaged chunk stays as it is: its neighbours must not be lost with it.
    }
    database.prepare("DELETE FROM token_chunks WHERE message = ?1 AND first >= ?2")
        .bind(1, message)
        .bind(2, first)
        .run();
    insertChunk(database, message, first, tokens);
}

} // namespace

std::int64_t appendChunks(Database &database, MessageId message, std::span<const TokenRecord> tokens)
{
    Statement last = database.prepare(
        "SELECT first + count FROM token_chunks WHERE message = ?1 ORDER BY first DESC LIMIT 1");
    const std::int64_t start = last.bind(1, message).step() ? last.integer(0) : 0;
    std::int64_t next = start;
    last.reset();
    while (!tokens.empty()) {
        const std::size_t filled = static_cast<std::size_t>(next) % kTokensPerBlob;
        const std::size_t size = std::min(tokens.size(), kTokensPerBlob - filled);
        insertChunk(database, message, next, tokens.first(size));
        if (filled > 0 && filled + size == kTokensPerBlob)
            joinChunks(database, message, next - static_cast<std::int64_t>(filled));
        next += static_cast<std::int64_t>(size);
        tokens = tokens.subspan(size);
    }
    return start;
}

StoredTokens loadTokens(Database &database, MessageId message)
{
    Statement select =
        database.prepare("SELECT first, data FROM token_chunks WHERE message = ?1 ORDER BY first");
    select.bind(1, message);
    StoredTokens stored;
    while (select.step()) {
        const std::int64_t first = select.integer(0);
        try {
            if (first != static_cast<std::int64_t>(stored.tokens.size()))
                throw Error(fmt::format("expected token {}, found token {}", stored.tokens.size(), first));
            std::vector<TokenRecord> chunk = unpackTokens(select.blob(1));
            std::move(chunk.begin(), chunk.end(), std::back_inserter(stored.tokens));
        } catch (const Error &error) {
            stored.damage =
                fmt::format("The tokens from {} on cannot be inspected: their record in the history "
                            "is damaged ({}).",
                            stored.tokens.size(), error.what());
            break;
        }
    }
    return stored;
}

ReplyText joinText(Database &database, MessageId message)
{
    Statement select = database.prepare("SELECT data FROM token_chunks WHERE message = ?1 ORDER BY first");
    select.bind(1, message);
    ReplyText text;
    while (select.step()) {
        std::vector<TokenRecord> chunk;
        try {
            chunk = unpackTokens(select.blob(0));
        } catch (const Error &) {
            continue;
        }
        for (const TokenRecord &token : chunk) {
            if (token.section == Section::Answer)
                text.answer += token.bytes;
            else if (token.section == Section::Reasoning)
                text.reasoning += token.bytes;
        }
    }
    return text;
}

} // namespace bathyscope::storage
