// SPDX-License-Identifier: GPL-3.0-or-later
//
// The values of the history. Times are milliseconds since 1970-01-01 UTC; texts are UTF-8.
#pragma once

#include "engine/error.h"
#include "engine/records.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bathyscope::storage {

using ConversationId = std::int64_t; ///< positive, from IdSource
using FolderId = std::int64_t; ///< positive, from IdSource
using MessageId = std::int64_t; ///< positive, from IdSource; greater than its parent's
using Milliseconds = std::int64_t;

/// Another instance of the program holds the profile.
class ProfileInUse : public Error {
public:
    using Error::Error;
};

/// The database was written by a newer version of the program; nothing was changed.
class NewerDatabase : public Error {
public:
    using Error::Error;
};

/// The medium refused for now: disk full, read-only, file locked or vanished. Worth another try.
class MediumError : public Error {
public:
    using Error::Error;
};

/// The file is no sound database; see History::recovery().
class DamagedDatabase : public Error {
public:
    using Error::Error;
};

/// The numbers are stored: append only.
enum class MessageState : std::uint8_t {
    Complete = 0,
    Streaming = 1,
    Stopped = 2, ///< by the user, or at a limit
    Interrupted = 3, ///< the program ended while it was written
    Failed = 4 ///< see StoredMessage::error
};

struct Folder {
    FolderId id = 0;
    std::string name = {};

    bool operator==(const Folder &) const = default;
};

struct Conversation {
    ConversationId id = 0;
    std::string title = {};
    std::string systemPrompt = {};
    bool pinned = false;
    Milliseconds created = 0; ///< 0 when given to create(): now
    Milliseconds updated = 0; ///< of the newest message; kept by the history
    std::optional<MessageId> leaf = {}; ///< last message of the current path; kept by the history
    std::int64_t messages = 0; ///< on all branches; kept by the history
    std::optional<FolderId> folder = {}; ///< none: in no folder

    bool operator==(const Conversation &) const = default;
};

/// A node of the tree of messages. What beginReply() and addMessage() take, and what load() returns.
struct StoredMessage {
    MessageId id = 0;
    ConversationId conversation = 0;
    std::optional<MessageId> parent = {}; ///< none: a first message
    Role role = Role::User;
    MessageState state = MessageState::Complete;
    std::string text = {}; ///< the question, or the answer of an ended reply
    std::string reasoning = {}; ///< of an ended reply
    std::string error = {}; ///< for people
    Milliseconds created = 0; ///< 0 when given: now
    std::string model = {}; ///< ModelInfo::fingerprint of a reply; empty when unknown
    std::optional<SamplingParameters> sampling = {}; ///< of a reply
    std::optional<GenerationSummary> summary = {}; ///< of an ended reply

    bool operator==(const StoredMessage &) const = default;
};

/// A message of the current path with all that a view needs.
struct LoadedMessage {
    StoredMessage message = {};
    /// Of a reply, in order. Where tokens are missing (a damaged block, an imported text), the rest of the
    /// text follows as one record a section, with id -1 and no trace, so that nothing that was written is
    /// hidden.
    std::vector<TokenRecord> tokens = {};
    /// How many of `tokens`, not always the first, have candidates, routing and times. Those come from a file
    /// that rounds log-probabilities of candidates and weights of experts: each may be off by 2^-11 of
    /// itself, but a candidate that is the token itself has its exact value. TokenRecord::logProb, restMass
    /// and seconds are exact, too.
    std::size_t traced = 0;
    std::string damage = {}; ///< for people: what could not be read; empty when all is well
    std::vector<MessageId> siblings = {}; ///< messages with the same parent, this one included, oldest first
    std::size_t siblingIndex = 0; ///< of this message in `siblings`
};

struct LoadedConversation {
    Conversation info = {};
    std::vector<LoadedMessage> path = {}; ///< from the first message to the current leaf
};

/// What the traces may take. Messages are never dropped.
struct TraceLimits {
    std::int64_t bytes = std::int64_t{2} << 30U; ///< of the file; 0: no limit
    Milliseconds age = 0; ///< 0: no limit

    bool operator==(const TraceLimits &) const = default;
};

struct Backup {
    std::string file = {}; ///< UTF-8
    std::string name = {}; ///< the file's name without its ending: "history-2026-11-23"
    bool daily = false; ///< otherwise made before a migration or a restore
    std::int64_t bytes = 0;

    bool operator==(const Backup &) const = default;
};

/// What became of a damaged database.
struct Recovery {
    std::string damagedFile = {}; ///< where it was set aside; UTF-8
    std::string usedBackup = {}; ///< the copy that was taken, as nothing could be read; mostly empty
    std::vector<std::string> problems = {}; ///< as SQLite tells them
    std::int64_t conversations = 0; ///< recovered
    std::int64_t messages = 0; ///< recovered
    std::int64_t lostConversations = 0; ///< known to have been there; there may be more
    std::int64_t lostMessages = 0; ///< known to have been there; there may be more

    [[nodiscard]] std::string text() const; ///< for people
};

struct SearchQuery {
    std::string text = {}; ///< words; all must occur, the last one may be unfinished
    bool reasoning = false; ///< search in reasoning, too
    std::int32_t limit = 100; ///< hits

    bool operator==(const SearchQuery &) const = default;
};

struct SearchHit {
    ConversationId conversation = 0;
    std::optional<MessageId> message = {}; ///< none: the title matched
    std::string title = {}; ///< of the conversation
    std::string snippet = {}; ///< the words around the match, each match between U+0002 and U+0003

    bool operator==(const SearchHit &) const = default;
};

} // namespace bathyscope::storage
