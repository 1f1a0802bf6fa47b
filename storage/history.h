// SPDX-License-Identifier: GPL-3.0-or-later
//
// The history: conversations as trees of messages, the tokens of replies, and the models that made them, in
// history.db; what was seen while the tokens were chosen in traces.db. This object holds the only connection
// to each.
#pragma once

#include "storage/exchange.h"
#include "storage/history_types.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace bathyscope::storage {

class Database;
class IdSource;
class InstanceLock;
class Statement;
class TraceStore;

/// Every operation is one transaction: it happens as a whole or throws Error and changes nothing. A message
/// or conversation that is not there is an Error. Not thread-safe; see HistoryThread.
class History {
public:
    /// Opens `folder`/history.db, making both when they are missing, brings the database to the current
    /// version (after a copy into `folder`/backups), and marks replies that a crash left as Interrupted.
    /// After a crash the file is checked; a damaged one is set aside and what can be read goes into a new
    /// one, see recovery(). Throws ProfileInUse, NewerDatabase, MediumError or Error.
    explicit History(const std::filesystem::path &folder);

    /// A history that lives as long as the object, for when the folder cannot be used.
    static std::unique_ptr<History> inMemory();

    /// The same with a copy of all words in a folder that can only be read. Throws like readOnly(), and for a
    /// history that is damaged or newer.
    static std::unique_ptr<History> inMemory(const std::filesystem::path &folder);

    /// For a history of a newer version or in a folder that cannot be written: every change throws Error.
    /// What a newer version changed may not be readable; that is an Error of the function that reads it.
    static std::unique_ptr<History> readOnly(const std::filesystem::path &folder);

    ~History();
    History(const History &) = delete;
    History &operator=(const History &) = delete;

    /// The last user of the database did not close it.
    [[nodiscard]] bool openedAfterCrash() const { return m_openedAfterCrash; }

    /// What opening did about a damaged database; none when all was well.
    [[nodiscard]] const std::optional<Recovery> &recovery() const { return m_recovery; }

    /// Has the next opening check the file although this one may end cleanly: a read has met damage.
    void checkAtNextOpening() noexcept;

    /// The greatest id in use; see IdSource::startAfter().
    [[nodiscard]] std::int64_t newestId();
    /// By how much this machine's clock stands before the latest time stored; 0 when it does not.
    [[nodiscard]] Milliseconds clockLag() const;

    /// What SQLite finds wrong with the file; empty when all is well. Reads the whole database.
    [[nodiscard]] std::vector<std::string> checkIntegrity();

    /// Runs several operations as one transaction.
    void transaction(const std::function<void()> &operations);

    // Conversations

    /// Pinned ones first, then by the newest message, newest first.
    [[nodiscard]] std::vector<Conversation> conversations();
    void create(const Conversation &conversation);
    void rename(ConversationId id, const std::string &title);
    void setPinned(ConversationId id, bool pinned);
    void setSystemPrompt(ConversationId id, const std::string &text);
    void moveToFolder(ConversationId id, std::optional<FolderId> folder);
    /// With all its messages and tokens.
    void remove(ConversationId id);
    [[nodiscard]] LoadedConversation load(ConversationId id);
    /// One message, on the current path or not; without its siblings.
    [[nodiscard]] LoadedMessage message(MessageId id);

    // Folders of conversations, by name

    [[nodiscard]] std::vector<Folder> folders();
    void createFolder(const Folder &folder);
    void renameFolder(FolderId id, const std::string &name);
    /// Its conversations stay, in no folder.
    void removeFolder(FolderId id);

    // Messages. A new message becomes the leaf of its conversation; one whose parent has children already
    // becomes their sibling: an edited question has the parent of the old one, a regenerated reply too.

    /// A whole message: a question, or a reply whose text is known.
    void addMessage(const StoredMessage &message);
    /// A reply that will be streamed: stored as Streaming, whatever its state says.
    void beginReply(const StoredMessage &message);
    /// Throws when the message is not Streaming.
    void appendTokens(MessageId id, const std::vector<TokenRecord> &tokens);
    /// Ends a streaming reply; its text and reasoning are joined from its tokens.
    void finishReply(MessageId id, MessageState state, const GenerationSummary &summary,
                     const std::string &error = {});
    /// Makes the newest path through this message the current one; returns the new leaf.
    MessageId selectBranch(MessageId id);

    // Search

    /// Titles first, then messages, newest first.
    [[nodiscard]] std::vector<SearchHit> search(const SearchQuery &query);

    // Traces

    /// Takes effect at once and after every reply: the oldest traces of conversations that are not pinned go.
    void setTraceLimits(const TraceLimits &limits);
    [[nodiscard]] std::int64_t traceBytes(); ///< in use on the medium
    /// For people: why traces are not stored; empty when all is well. Words do not depend on it.
    [[nodiscard]] std::string traceProblem() const;

    // Copies

    /// Makes the copy of this day when it is missing; keeps seven. True when it made one.
    bool backUpDaily();
    /// Newest first.
    [[nodiscard]] std::vector<Backup> backups() const;
    /// Everything becomes as it was in the backup, after a copy of what is there now. Throws Error and
    /// changes nothing when the backup is damaged or newer.
    void restore(const std::string &backupFile);

    // Exchange with other programs; see exchange.h for the formats

    [[nodiscard]] ExchangedConversation exportConversation(ConversationId id, ExportTraces traces);
    /// Where ids are taken, all of the conversation are given anew. Returns the conversation's id.
    ConversationId importConversation(ExchangedConversation conversation, IdSource &ids);

    // Models, by fingerprint

    /// Stores or renews what is known of a model; its vocabulary is written once.
    void storeModel(const ModelInfo &info);
    [[nodiscard]] std::optional<ModelInfo> model(const std::string &fingerprint);

private:
    class Change;
    struct InMemory { };
    struct ReadOnly { };
    explicit History(InMemory);
    History(const std::filesystem::path &folder, ReadOnly);
    void open();
    void bringUpToDate(Database &opened);
    void openOrRecover();
    void markInterrupted();
    Database &database();
    Milliseconds stamp();
    void trimTraces();
    void addNode(StoredMessage message);
    LoadedMessage loadMessage(Statement &select, MessageId id);

    std::filesystem::path m_folder; ///< empty: in memory
    std::unique_ptr<InstanceLock> m_lock;
    std::unique_ptr<Database> m_database;
    std::unique_ptr<TraceStore> m_traces;
    std::optional<Recovery> m_recovery;
    TraceLimits m_traceLimits = {.bytes = 0};
    Milliseconds m_newest = 0; ///< the latest time stored: the clock may have been set back since
    bool m_openedAfterCrash = false;
    bool m_trimTraces = false; ///< after the transaction under way
};

} // namespace bathyscope::storage
