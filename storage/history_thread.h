// SPDX-License-Identifier: GPL-3.0-or-later
//
// The history on a thread of its own.
#pragma once

#include "storage/history.h"
#include "storage/id_source.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bathyscope::storage {

/// Takes work from any thread and does it in order on the storage thread. Callbacks are called on the storage
/// thread; the receiver marshals them to its own.
///
///     history.write([message](History &h) { h.addMessage(message); });
///     history.read<LoadedConversation>([id](History &h) { return h.load(id); },
///                                      [](LoadedConversation loaded) { ... });
///
/// A write that the medium refuses (disk full, read-only) stays at the head of the queue and is tried again
/// every second, later writes behind it, while reads go on; a write that can never succeed is reported and
/// left out. Tokens wait at most 100 ms before they are written. What became of a damaged database is
/// reported first of all; every day a copy is made.
class HistoryThread {
public:
    using Write = std::function<void(History &)>;
    /// The texts are made for a person.
    struct Events {
        /// A read or write failed for good, or something is to be told once.
        std::function<void(const std::string &text)> failed;
        /// The medium refuses; all that is written from now on waits in memory. Again when the text changes.
        std::function<void(const std::string &text)> refused;
        /// All that the medium refused is stored now.
        std::function<void()> recovered;
        /// This machine's clock stands before the latest time stored; with an empty text: no longer.
        std::function<void(const std::string &text)> clockBehind = {};
    };
    /// Gives the history of a folder; throws like the constructor of History.
    using Open = std::function<std::unique_ptr<History>()>;

    HistoryThread(std::unique_ptr<History> history, Events events);

    /// For a folder that cannot be used now, for the reason `refusal`. Until `open` gives its history, which
    /// is tried every second, `standIn` takes its place: everything happens in it, and again in the true one
    /// as soon as there is one.
    HistoryThread(std::unique_ptr<History> standIn, Open open, std::string refusal, Events events);

    /// Writes everything that was posted, then closes the database. What the medium still refuses is reported
    /// through Events::failed and lost.
    ~HistoryThread();
    HistoryThread(const HistoryThread &) = delete;
    HistoryThread &operator=(const HistoryThread &) = delete;

    /// For History::importConversation().
    [[nodiscard]] IdSource &ids() { return m_ids; }
    [[nodiscard]] ConversationId newConversationId() { return m_ids.next(); }
    [[nodiscard]] MessageId newMessageId() { return m_ids.next(); }

    /// `operations` run in one transaction, again from the start when the medium refuses: they must not have
    /// effects outside the history. `done` is called once they are stored, `failed` when they never will be.
    void write(Write operations, std::function<void()> done = {}, std::function<void()> failed = {});

    /// Writes posted before are seen, except those that the medium refuses.
    template <typename Result>
    void read(std::function<Result(History &)> query, std::function<void(Result)> done)
    {
        postRead(
            [query = std::move(query), done = std::move(done)](History &history) { done(query(history)); });
    }

    /// For a message begun with History::beginReply. Batches are coalesced.
    void appendTokens(MessageId id, std::vector<TokenRecord> tokens);

    /// Waits until all that was posted before is written or refused. Never call it from a callback.
    void flush();

private:
    using Clock = std::chrono::steady_clock;

    struct Task {
        enum class Kind : std::uint8_t { Write, Read, Tokens } kind = Kind::Write;
        Write operations; ///< Write and Read
        std::function<void()> done = {}; ///< Write
        std::function<void()> failed = {}; ///< Write
        MessageId message = 0; ///< Tokens
        std::vector<TokenRecord> tokens = {}; ///< Tokens
    };

    void post(Task task);
    void postRead(Write query);
    void run(const std::stop_token &stop);
    std::deque<Task> waitForTasks(const std::stop_token &stop);
    void perform(std::deque<Task> tasks);
    void performRead(const Task &task);
    bool performWrite(const Task &task);
    void performOnStandIn(Task task);
    bool openTrueHistory();
    void refuse(const std::string &why);
    void retryBacklog();
    void abandonBacklog();
    void backUp();
    void checkClock();
    void reportDamage(const DamagedDatabase &error) const;
    void report(const std::string &text) const;

    std::unique_ptr<History> m_history; ///< used on the storage thread only, as all down to m_taken
    Open m_open; ///< not empty: m_history is a stand-in
    Events m_events;
    std::deque<Task> m_backlog; ///< refused writes and those behind them
    std::string m_refusal; ///< why the first of m_backlog was refused
    std::string m_traceProblem; ///< the last one that was told
    bool m_clockBehind = false; ///< it was told
    Clock::time_point m_checkClockAt; ///< at the beginning, and after each write, at once
    Clock::time_point m_retryAt;
    /// Not in the first seconds: they belong to what a person waits for.
    Clock::time_point m_backUpAt = Clock::now() + std::chrono::seconds(5);
    std::uint64_t m_taken = 0; ///< of the posted tasks, those taken from m_queue

    IdSource m_ids;
    std::mutex m_mutex; ///< guards all below but m_thread
    std::condition_variable_any m_wake;
    std::condition_variable_any m_performedMore;
    std::deque<Task> m_queue;
    Clock::time_point m_due; ///< when m_queue is to be performed; meaningful while it holds something
    std::uint64_t m_posted = 0; ///< tasks
    std::uint64_t m_performed = 0; ///< of those posted: done, refused or reported
    std::jthread m_thread;
};

} // namespace bathyscope::storage
