// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/trace_store.h"

#include "engine/limits.h"
#include "storage/database.h"
#include "storage/files.h"
#include "storage/history_rows.h"
#include "storage/schema.h"
#include "storage/trace_blob.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace bathyscope::storage {

namespace {
// NORMAL: a power cut may take the last traces, never the file.
constexpr const char *kPragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                                 "PRAGMA journal_size_limit = 16777216;";
} // namespace

TraceStore::TraceStore(std::string file, bool readOnly)
    : m_file(std::move(file))
    , m_readOnly(readOnly)
{
    (void)isOpen();
}

TraceStore::~TraceStore() = default;

bool TraceStore::isOpen()
{
    if (m_database)
        return true;
    try {
        try {
            open();
        } catch (const MediumError &) {
            throw;
        } catch (const Error &error) {
            if (m_readOnly)
                throw;
            setAside(error.what());
            open();
        }
    } catch (const Error &error) {
        m_database.reset();
        m_problem = error.what();
    }
    return m_database != nullptr;
}

void TraceStore::open()
{
    const auto mode = m_readOnly ? Database::Mode::ReadOnly : Database::Mode::Exclusive;
    auto database = std::make_unique<Database>(m_file, mode);
    if (!m_readOnly) {
        migrate(*database, traceMigrations(), {}, kTracesApplicationId);
        database->execute(kPragmas);
    }
    m_database = std::move(database);
}

/// A file of traces that cannot be used is kept beside a new one.
void TraceStore::setAside(const std::string &why)
{
    m_database.reset();
    const std::string kept = setDatabaseAside(m_file, "unusable");
    m_problem =
        fmt::format("The stored traces cannot be used and were set aside as {}; texts are not touched. "
                    "({})",
                    kept, why);
}

void TraceStore::append(MessageId message, ConversationId conversation, const std::string &model,
                        std::int64_t first, std::span<const TokenRecord> tokens)
{
    // The same blocks as those of the words: none crosses a multiple of the most tokens of a blob.
    while (!tokens.empty()) {
        const auto filled = static_cast<std::size_t>(first) % limits::tokensPerBlob;
        const std::size_t size = std::min(tokens.size(), limits::tokensPerBlob - filled);
        m_pending.push_back({message, conversation, first, static_cast<std::int64_t>(size),
                             packTraces(model, tokens.first(size))});
        first += static_cast<std::int64_t>(size);
        tokens = tokens.subspan(size);
    }
}

void TraceStore::removeConversation(ConversationId conversation)
{
    m_pending.push_back({.message = 0, .conversation = conversation});
}

void TraceStore::discard()
{
    m_pending.clear();
}

void TraceStore::commit()
{
    try {
        commitOrThrow();
    } catch (const MediumError &error) {
        m_problem = fmt::format("Traces are kept in memory for now. {}", error.what());
    } catch (const Error &error) {
        // Waiting cannot mend it; a damaged file is set aside when it is opened again.
        m_problem = fmt::format("Traces of the last tokens could not be stored. {}", error.what());
        m_database.reset();
        m_queue.clear();
        m_queuedBytes = 0;
    }
}

void TraceStore::commitOrThrow()
{
    for (Change &change : m_pending) {
        m_queuedBytes += change.data.size();
        m_queue.push_back(std::move(change));
    }
    m_pending.clear();
    while (m_queuedBytes > limits::maxWaitingTraceBytes) {
        m_queuedBytes -= m_queue.front().data.size();
        m_queue.pop_front();
    }
    if (m_queue.empty())
        return;
    if (!isOpen())
        throw MediumError(m_problem);
    writeQueue();
}

void TraceStore::writeQueue()
{
    if (putBackWhenMoved(m_database))
        m_database->execute(kPragmas);
    Transaction transaction(*m_database);
    for (const Change &change : m_queue)
        write(change);
    transaction.commit();
    m_queue.clear();
    m_queuedBytes = 0;
    m_problem.clear();
}

void TraceStore::write(const Change &change)
{
    if (change.message == 0) {
        m_database->prepare("DELETE FROM traces WHERE conversation = ?1").bind(1, change.conversation).run();
        return;
    }
    m_database->prepare("INSERT OR IGNORE INTO traces (message, conversation, created) VALUES (?1, ?2, ?3)")
        .bind(1, change.message)
        .bind(2, change.conversation)
        .bind(3, now())
        .run();
    m_database
        ->prepare("INSERT OR REPLACE INTO trace_chunks (message, first, count, data) VALUES (?1, ?2, ?3, ?4)")
        .bind(1, change.message)
        .bind(2, change.first)
        .bind(3, change.count)
        .bindBlob(4, change.data)
        .run();
    constexpr auto kFull = static_cast<std::int64_t>(limits::tokensPerBlob);
    if (change.count < kFull && (change.first + change.count) % kFull == 0)
        joinChunks(change.message, change.first + change.count - kFull);
}

/// Puts one chunk in the place of all from index `first`, when they are whole.
void TraceStore::joinChunks(MessageId message, std::int64_t first)
{
    Statement select = m_database->prepare("SELECT count, data, first FROM trace_chunks "
                                           "WHERE message = ?1 AND first >= ?2 ORDER BY first");
    select.bind(1, message).bind(2, first);
    std::vector<std::string> blobs;
    std::int64_t next = first;
    while (select.step()) {
        if (select.integer(2) != next)
            return;
        next += select.integer(0);
        blobs.emplace_back(select.blob(1));
    }
    std::string joined;
    try {
        joined = joinTraces(blobs);
    } catch (const Error &) {
        return; // A damaged chunk stays as it is: its neighbours must not be lost with it.
    }
    m_database->prepare("DELETE FROM trace_chunks WHERE message = ?1 AND first >= ?2")
        .bind(1, message)
        .bind(2, first)
        .run();
    m_database->prepare("INSERT INTO trace_chunks (message, first, count, data) VALUES (?1, ?2, ?3, ?4)")
        .bind(1, message)
        .bind(2, first)
        .bind(3, next - first)
        .bindBlob(4, joined)
        .run();
}

void TraceStore::load(LoadedMessage &reply)
{
    commit();
    if (reply.tokens.empty() || !isOpen())
        return;
    try {
        Statement select =
            m_database->prepare("SELECT first, data FROM trace_chunks WHERE message = ?1 ORDER BY first");
        select.bind(1, reply.message.id);
        while (select.step()) {
            auto index = static_cast<std::size_t>(select.integer(0));
            TraceBlob blob = unpackTraces(select.blob(1));
            if (blob.model != reply.message.model)
                throw Error(fmt::format("model: expected {}, found {}", reply.message.model, blob.model));
            for (TokenTrace &trace : blob.traces) {
                if (index >= reply.tokens.size())
                    break;
                addTrace(reply.tokens[index++], std::move(trace));
                ++reply.traced;
            }
        }
    } catch (const Error &error) {
        if (reply.damage.empty())
            reply.damage = fmt::format("Not all traces of this reply can be read ({}).", error.what());
    }
}

void TraceStore::dropMessage(MessageId message)
{
    m_database->prepare("DELETE FROM traces WHERE message = ?1").bind(1, message).run();
}

void TraceStore::trim(const TraceLimits &limits, const std::set<ConversationId> &kept, Milliseconds now)
{
    if (!isOpen() || m_readOnly)
        return;
    try {
        const auto tooMany = [&] { return limits.bytes > 0 && bytes() > limits.bytes; };
        Statement oldest =
            m_database->prepare("SELECT message, conversation, created FROM traces ORDER BY rank");
        std::vector<std::pair<MessageId, Milliseconds>> candidates;
        if (tooMany() || limits.age > 0)
            while (oldest.step())
                if (!kept.contains(oldest.integer(1)))
                    candidates.emplace_back(oldest.integer(0), oldest.integer(2));
        oldest.reset();
        Transaction transaction(*m_database);
        bool dropped = false;
        for (const auto &[message, created] : candidates) {
            if (!tooMany() && !(limits.age > 0 && created < now - limits.age))
                continue;
            dropMessage(message);
            dropped = true;
        }
        if (dropped)
            m_database->execute("PRAGMA incremental_vacuum");
        transaction.commit();
    } catch (const Error &error) {
        m_problem = error.what();
    }
}

void TraceStore::removeAllBut(const std::set<ConversationId> &all)
{
    if (!isOpen() || m_readOnly)
        return;
    try {
        Statement select = m_database->prepare("SELECT DISTINCT conversation FROM traces");
        while (select.step())
            if (!all.contains(select.integer(0)))
                removeConversation(select.integer(0));
    } catch (const Error &error) {
        m_problem = error.what();
    }
    commit();
}

std::int64_t TraceStore::bytes()
{
    if (!isOpen())
        return 0;
    return (m_database->integer("PRAGMA page_count") - m_database->integer("PRAGMA freelist_count"))
        * m_database->integer("PRAGMA page_size");
}

} // namespace bathyscope::storage
