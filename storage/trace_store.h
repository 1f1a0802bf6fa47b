// SPDX-License-Identifier: GPL-3.0-or-later
//
// The traces of replies in a file of their own, traces.db, on a connection of its own. It is not attached to
// that of the history, because a transaction over two files in WAL mode is not atomic anyway, and because a
// damaged, missing or full file of traces must never stand in the way of a word: the history commits first,
// then the traces are written; what is refused waits in memory, and after a crash some may be missing.
#pragma once

#include "storage/history_types.h"

#include <cstddef>
#include <deque>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace bathyscope::storage {

class Database;

class TraceStore {
public:
    /// Opens or makes the file (UTF-8; ":memory:" for none). Never throws for what the medium refuses or for
    /// a damaged file: the one is tried again with every commit, the other is set aside.
    explicit TraceStore(std::string file, bool readOnly = false);
    ~TraceStore();
    TraceStore(const TraceStore &) = delete;
    TraceStore &operator=(const TraceStore &) = delete;

    // Changes take effect with commit(), or not at all after discard().

    /// The traces of tokens `first`… of a reply.
    void append(MessageId message, ConversationId conversation, const std::string &model, std::int64_t first,
                std::span<const TokenRecord> tokens);
    void removeConversation(ConversationId conversation);
    void discard();
    /// Writes what was appended and removed, or keeps it for the next time.
    void commit();
    /// The same, but throws when the medium refuses.
    void commitOrThrow();

    /// Puts the stored traces into the reply's tokens.
    void load(LoadedMessage &reply);

    /// Drops the oldest replies' traces until the rest is within the limits; those of `kept` stay.
    void trim(const TraceLimits &limits, const std::set<ConversationId> &kept, Milliseconds now);
    /// Drops those of conversations that are not in `all`: what a crash or a restore left.
    void removeAllBut(const std::set<ConversationId> &all);

    [[nodiscard]] std::int64_t bytes(); ///< of the file that are in use

    /// For people: why traces are not written now, or what became of a damaged file; empty when all is well.
    [[nodiscard]] const std::string &problem() const { return m_problem; }

private:
    struct Change {
        MessageId message = 0; ///< 0: removal of the conversation
        ConversationId conversation = 0;
        std::int64_t first = 0;
        std::int64_t count = 0;
        std::string data = {};
    };

    bool isOpen();
    void open();
    void setAside(const std::string &why);
    void writeQueue();
    void write(const Change &change);
    void joinChunks(MessageId message, std::int64_t first);
    void dropMessage(MessageId message);

    std::string m_file;
    bool m_readOnly;
    std::unique_ptr<Database> m_database; ///< none while the medium refuses
    std::vector<Change> m_pending; ///< of the transaction under way
    std::deque<Change> m_queue; ///< committed by the history, not yet written
    std::size_t m_queuedBytes = 0;
    std::string m_problem;
};

} // namespace bathyscope::storage
