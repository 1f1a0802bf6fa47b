// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/schema.h"

#include "storage/database.h"
#include "storage/history_types.h"
#include "storage/token_blob.h"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace bathyscope::storage {

namespace {

// Notes on version 1:
// - Cascades go from the conversation only. A cascade along `parent` would nest once a message and meet
// SQLite's
//   limit of 1000 nested triggers; deferred, the reference is checked when all messages of the conversation
//   are gone.
// - `token_chunks.first` is the index of the chunk's first token. A chunk never crosses a multiple of 256
// (see
//   token_store.cpp).
// - The full-text tables hold no text of their own; triggers keep them in step within the same transaction.
constexpr std::string_view kVersion1 = R"sql(
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    system_prompt TEXT NOT NULL,
    pinned INTEGER NOT NULL,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    leaf INTEGER REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX conversations_by_update ON conversations (pinned DESC, updated DESC, id DESC);
CREATE INDEX conversations_by_leaf ON conversations (leaf);

CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    conversation INTEGER NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    parent INTEGER REFERENCES messages (id) DEFERRABLE INITIALLY DEFERRED,
    role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 2),
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
    created INTEGER NOT NULL,
    model TEXT NOT NULL,
    sampling TEXT,
    summary TEXT,
    error TEXT NOT NULL,
    text TEXT NOT NULL,
    reasoning TEXT NOT NULL
) STRICT;
CREATE INDEX messages_by_conversation ON messages (conversation);
CREATE INDEX messages_by_parent ON messages (parent, conversation);
CREATE INDEX messages_streaming ON messages (id) WHERE state = 1;

CREATE TABLE token_chunks (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX token_chunks_by_message ON token_chunks (message, first, count);

CREATE TABLE models (
    fingerprint TEXT PRIMARY KEY,
    info TEXT NOT NULL,
    vocabulary BLOB
) STRICT;

CREATE VIRTUAL TABLE title_search USING fts5 (
    title, content = 'conversations', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
CREATE TRIGGER title_search_insert AFTER INSERT ON conversations BEGIN
    INSERT INTO title_search (rowid, title) VALUES (new.id, new.title);
END;
CREATE TRIGGER title_search_delete AFTER DELETE ON conversations BEGIN
    INSERT INTO title_search (title_search, rowid, title) VALUES ('delete', old.id, old.title);
END;
CREATE TRIGGER title_search_update AFTER UPDATE OF title ON conversations BEGIN
    INSERT INTO title_search (title_search, rowid, title) VALUES ('delete', old.id, old.title);
    INSERT INTO title_search (rowid, title) VALUES (new.id, new.title);
END;

CREATE VIRTUAL TABLE message_search USING fts5 (
    text, reasoning, content = 'messages', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3');
CREATE TRIGGER message_search_insert AFTER INSERT ON messages BEGIN
    INSERT INTO message_search (rowid, text, reasoning) VALUES (new.id, new.text, new.reasoning);
END;
CREATE TRIGGER message_search_delete AFTER DELETE ON messages BEGIN
    INSERT INTO message_search (message_search, rowid, text, reasoning)
        VALUES ('delete', old.id, old.text, old.reasoning);
END;
CREATE TRIGGER message_search_update AFTER UPDATE OF text, reasoning ON messages BEGIN
    INSERT INTO message_search (message_search, rowid, text, reasoning)
        VALUES ('delete', old.id, old.text, old.reasoning);
    INSERT INTO message_search (rowid, text, reasoning) VALUES (new.id, new.text, new.reasoning);
END;
)sql";

// Version 2: folders; and token_chunks hold the words only, their traces went to a file of their own.
constexpr std::string_view kVersion2 = R"sql(
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
) STRICT;
ALTER TABLE conversations ADD COLUMN folder INTEGER REFERENCES folders (id) ON DELETE SET NULL;
CREATE INDEX conversations_by_folder ON conversations (folder);
)sql";

/// A chunk that cannot be read stays as it is: what it still tells is told when it is loaded.
void separateTraces(Database &database, const TraceSink &traces)
{
    Statement ids = database.prepare("SELECT id FROM token_chunks ORDER BY id");
    std::vector<std::int64_t> all;
    while (ids.step())
        all.push_back(ids.integer(0));
    Statement select = database.prepare(
        "SELECT token_chunks.message, messages.conversation, messages.model, first, data FROM token_chunks "
        "JOIN messages ON messages.id = token_chunks.message WHERE token_chunks.id = ?1");
    Statement update = database.prepare("UPDATE token_chunks SET data = ?2 WHERE id = ?1");
    for (const std::int64_t id : all) {
        if (!select.reset().bind(1, id).step())
            continue;
        std::vector<TokenRecord> tokens;
        try {
            tokens = unpackTokens(select.blob(4));
        } catch (const Error &) {
            continue;
        }
        if (traces)
            traces(select.integer(0), select.integer(1), select.text(2), select.integer(3), tokens);
        select.reset();
        update.reset().bind(1, id).bindBlob(2, packTokens(tokens)).run();
    }
}

constexpr std::array<Migration, 2> kMigrations{{{kVersion1}, {kVersion2, separateTraces}}};

// `traces.rank` is the order in which they came, whatever the clock said.
constexpr std::string_view kTracesVersion1 = R"sql(
CREATE TABLE traces (
    rank INTEGER PRIMARY KEY AUTOINCREMENT,
    message INTEGER NOT NULL UNIQUE,
    conversation INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX traces_by_conversation ON traces (conversation);

CREATE TABLE trace_chunks (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL REFERENCES traces (message) ON DELETE CASCADE,
    first INTEGER NOT NULL,
    count INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX trace_chunks_by_message ON trace_chunks (message, first);
)sql";

constexpr std::array<Migration, 1> kTraceMigrations{{{kTracesVersion1}}};

} // namespace

std::span<const Migration> migrations()
{
    return kMigrations;
}

std::span<const Migration> traceMigrations()
{
    return kTraceMigrations;
}

void migrate(Database &database, std::span<const Migration> steps, const MigrationHooks &hooks,
             std::int32_t applicationId)
{
    const std::int64_t application = database.integer("PRAGMA application_id");
    const std::int64_t found = database.integer("PRAGMA user_version");
    const bool isNew = database.integer("SELECT count(*) FROM sqlite_master") == 0;
    const auto current = static_cast<std::int64_t>(steps.size());
    if (application != applicationId && !(isNew && application == 0))
        throw Error(fmt::format("{}: expected a history of Bathyscope, found the database of another program "
                                "(application_id {}). Move it away, or start with another profile.",
                                database.file(), application));
    if (found > current)
        throw NewerDatabase(
            fmt::format("{}: expected a history of version {} or older, found version {}, written "
                        "by a newer Bathyscope. Update Bathyscope, or start with another profile. "
                        "Nothing was changed.",
                        database.file(), current, found));
    // Lets a later version give the space of deleted traces back; can be chosen only while the file is empty.
    if (isNew)
        database.execute("PRAGMA auto_vacuum = INCREMENTAL");
    if (!isNew && found < current && hooks.before)
        hooks.before(found);
    for (std::int64_t version = found; version < current; ++version) {
        const Migration &step = steps[static_cast<std::size_t>(version)];
        Transaction transaction(database);
        database.execute(std::string(step.sql));
        if (step.convert != nullptr)
            step.convert(database, hooks.traces);
        database.execute(
            fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {};", applicationId, version + 1));
        if (hooks.beforeCommit)
            hooks.beforeCommit();
        transaction.commit();
    }
}

} // namespace bathyscope::storage
