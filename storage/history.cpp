// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening, conversations and models.
#include "storage/history.h"

#include "storage/backup.h"
#include "storage/database.h"
#include "storage/files.h"
#include "storage/history_change.h"
#include "storage/history_rows.h"
#include "storage/json_values.h"
#include "storage/platform_lock.h"
#include "storage/recovery.h"
#include "storage/schema.h"
#include "storage/token_blob.h"
#include "storage/token_store.h"
#include "storage/trace_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

namespace bathyscope::storage {

namespace {

constexpr const char *kInMemory = ":memory:";
constexpr const char *kCheckMark = "history.check";

// FULL: what a person finished survives a power cut. appendTokens() lowers it, see there.
constexpr const char *kPragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                                 "PRAGMA journal_size_limit = 16777216;";

void makeFolder(const std::filesystem::path &folder)
{
    namespace fs = std::filesystem;
    std::error_code error;
    if (fs::create_directories(folder, error))
        fs::permissions(folder, fs::perms::owner_all, error); // conversations are private
    if (error)
        throw MediumError(fmt::format("{}: expected a folder that can be written, found: {}",
                                      utf8Name(folder), error.message()));
}

} // namespace

History::History(const std::filesystem::path &folder)
    : m_folder(folder)
{
    makeFolder(folder);
    m_lock = std::make_unique<InstanceLock>(folder / "history.lock");
    adoptRescued(utf8Name(folder / "history.db"));
    std::error_code error;
    // SQLite removes the write-ahead log when the last connection closes it.
    m_openedAfterCrash = std::filesystem::exists(folder / "history.db-wal", error);
    m_traces = std::make_unique<TraceStore>(utf8Name(folder / "traces.db"));
    openOrRecover();
    markInterrupted();
    std::set<ConversationId> all;
    Statement select = database().prepare("SELECT id FROM conversations");
    while (select.step())
        all.insert(select.integer(0));
    m_traces->removeAllBut(all);
}

History::History(InMemory)
{
    m_traces = std::make_unique<TraceStore>(kInMemory);
    open();
}

History::History(const std::filesystem::path &folder, ReadOnly)
    : m_folder(folder)
    , m_database(std::make_unique<Database>(utf8Name(folder / "history.db"), Database::Mode::ReadOnly))
    , m_traces(std::make_unique<TraceStore>(utf8Name(folder / "traces.db"), true))
{
    if (m_database->integer("PRAGMA application_id") != kApplicationId)
        throw Error(fmt::format("{}: expected a history of Bathyscope, found another kind of file.",
                                m_database->file()));
}

std::unique_ptr<History> History::inMemory()
{
    return std::unique_ptr<History>(new History(InMemory{}));
}

std::unique_ptr<History> History::inMemory(const std::filesystem::path &folder)
{
    const std::string file = utf8Name(folder / "history.db");
    expectUsable(file);
    std::unique_ptr<History> copy = inMemory();
    copy->database().replaceBy(Database(file, Database::Mode::ReadOnly));
    copy->bringUpToDate(copy->database());
    copy->markInterrupted();
    return copy;
}

std::unique_ptr<History> History::readOnly(const std::filesystem::path &folder)
{
    return std::unique_ptr<History>(new History(folder, ReadOnly{}));
}

History::~History() = default;

void History::openOrRecover()
{
    const std::filesystem::path mark = m_folder / kCheckMark;
    std::error_code error;
    const bool check = m_openedAfterCrash || std::filesystem::exists(mark, error);
    std::vector<std::string> problems;
    try {
        open();
        if (check)
            problems = m_database->findDamage();
    } catch (const DamagedDatabase &damage) {
        problems.emplace_back(damage.what());
    }
    if (!problems.empty()) {
        m_database.reset();
        m_recovery = recoverDatabase(utf8Name(m_folder / "history.db"));
        m_recovery->problems.insert(m_recovery->problems.begin(), problems.begin(), problems.end());
        open();
    }
    std::filesystem::remove(mark, error);
}

void History::open()
{
    auto opened =
        std::make_unique<Database>(m_folder.empty() ? kInMemory : utf8Name(m_folder / "history.db"));
    bringUpToDate(*opened);
    m_database = std::move(opened);
}

void History::bringUpToDate(Database &opened)
{
    MigrationHooks hooks;
    hooks.before = [&](std::int64_t version) {
        if (!m_folder.empty())
            backUpFor(opened, m_folder, fmt::format("version-{}", version));
    };
    hooks.traces = [this](MessageId message, ConversationId conversation, const std::string &model,
                          std::int64_t first, std::span<const TokenRecord> tokens) {
        m_traces->append(message, conversation, model, first, tokens);
        m_traces->commitOrThrow();
    };
    try {
        migrate(opened, migrations(), hooks);
    } catch (const Error &) {
        m_traces->discard();
        throw;
    }
    opened.execute(kPragmas);
    m_newest = opened.integer("SELECT max(updated) FROM conversations");
}

void History::markInterrupted()
{
    Change change(*this);
    Statement streaming = database().prepare("SELECT id FROM messages WHERE state = 1");
    std::vector<MessageId> ids;
    while (streaming.step())
        ids.push_back(streaming.integer(0));
    streaming.reset();
    Statement update =
        database().prepare("UPDATE messages SET state = ?2, text = ?3, reasoning = ?4 WHERE id = ?1");
    for (const MessageId id : ids) {
        const ReplyText text = joinText(database(), id);
        update.reset().bind(1, id).bind(2, number(MessageState::Interrupted));
        update.bind(3, text.answer).bind(4, text.reasoning).run();
    }
    update.reset();
    change.commit();
}

Database &History::database()
{
    if (!m_database) // Only after it was put back and could not be opened at once.
        open();
    return *m_database;
}

Milliseconds History::stamp()
{
    m_newest = std::max(m_newest, now());
    return m_newest;
}

Milliseconds History::clockLag() const
{
    return std::max<Milliseconds>(0, m_newest - now());
}

History::Change::Change(History &history, Sync sync)
    : m_history(history)
    , m_outermost(!history.database().inTransaction())
    , m_sync(m_outermost ? sync : Sync::Now)
{
    if (m_outermost && !history.m_folder.empty() && putBackWhenMoved(history.m_database))
        history.m_database->execute(kPragmas);
    if (m_sync == Sync::Later)
        history.m_database->execute("PRAGMA synchronous = NORMAL");
    m_transaction.emplace(*history.m_database);
}

History::Change::~Change()
{
    m_transaction.reset();
    if (!m_outermost)
        return;
    m_history.m_traces->discard();
    try {
        if (m_sync == Sync::Later)
            m_history.database().execute("PRAGMA synchronous = FULL");
    } catch (const Error &) {
        // Setting a flag fails only where the change has failed already, and that error is under way.
    }
}

void History::Change::commit()
{
    m_transaction->commit();
    if (!m_outermost)
        return;
    m_history.m_traces->commit();
    if (std::exchange(m_history.m_trimTraces, false))
        m_history.trimTraces();
}

void History::checkAtNextOpening() noexcept
{
    try {
        if (!m_folder.empty())
            std::ofstream(m_folder / kCheckMark, std::ios::binary) << '\n';
    } catch (const std::exception &) {
        // Then the next opening checks only after a crash.
    }
}

std::int64_t History::newestId()
{
    return database().integer("SELECT max(ifnull((SELECT max(id) FROM conversations), 0), "
                              "ifnull((SELECT max(id) FROM messages), 0), "
                              "ifnull((SELECT max(id) FROM folders), 0))");
}

std::vector<std::string> History::checkIntegrity()
{
    return database().findDamage();
}

void History::transaction(const std::function<void()> &operations)
{
    Change change(*this);
    operations();
    change.commit();
}

std::vector<Conversation> History::conversations()
{
    Statement select =
        database().prepare(std::string(kSelectConversation) + " ORDER BY pinned DESC, updated DESC, id DESC");
    std::vector<Conversation> all;
    while (select.step())
        all.push_back(readConversation(select));
    return all;
}

void History::create(const Conversation &conversation)
{
    Change change(*this);
    const Milliseconds created = conversation.created != 0 ? conversation.created : stamp();
    database()
        .prepare("INSERT INTO conversations (id, title, system_prompt, pinned, created, updated, folder) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)")
        .bind(1, conversation.id)
        .bind(2, conversation.title)
        .bind(3, conversation.systemPrompt)
        .bind(4, std::int64_t{conversation.pinned})
        .bind(5, created)
        .bind(6, conversation.folder)
        .run();
    change.commit();
}

void History::rename(ConversationId id, const std::string &title)
{
    Change change(*this);
    database().prepare("UPDATE conversations SET title = ?2 WHERE id = ?1").bind(1, id).bind(2, title).run();
    expectChange(database(), "conversation", id);
    change.commit();
}

void History::setPinned(ConversationId id, bool pinned)
{
    Change change(*this);
    database()
        .prepare("UPDATE conversations SET pinned = ?2 WHERE id = ?1")
        .bind(1, id)
        .bind(2, std::int64_t{pinned})
        .run();
    expectChange(database(), "conversation", id);
    change.commit();
}

void History::setSystemPrompt(ConversationId id, const std::string &text)
{
    Change change(*this);
    database()
        .prepare("UPDATE conversations SET system_prompt = ?2 WHERE id = ?1")
        .bind(1, id)
        .bind(2, text)
        .run();
    expectChange(database(), "conversation", id);
    change.commit();
}

void History::remove(ConversationId id)
{
    Change change(*this);
    database().prepare("DELETE FROM conversations WHERE id = ?1").bind(1, id).run();
    expectChange(database(), "conversation", id);
    m_traces->removeConversation(id);
    database().execute("PRAGMA incremental_vacuum");
    change.commit();
}

} // namespace bathyscope::storage
