// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/database.h"

#include "storage/history_types.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <system_error>

namespace bathyscope::storage {

namespace {

[[noreturn]] void throwSqlError(sqlite3 *connection, int code)
{
    const char *file = connection != nullptr ? sqlite3_db_filename(connection, "main") : nullptr;
    const std::string text =
        fmt::format("The history {} cannot be used: {}", file != nullptr ? file : "",
                    connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code));
    switch (code & 0xFF) {
    case SQLITE_FULL:
        throw MediumError(text + ". Free some space on this disk.");
    case SQLITE_READONLY:
    case SQLITE_PERM:
        throw MediumError(text + ". Make the file and its folder writable.");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        throw DamagedDatabase(text + ".");
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
        throw MediumError(text);
    default:
        throw Error(text);
    }
}

/// SQLite takes a null pointer as NULL, which an empty view may hold.
const char *dataOf(std::string_view bytes)
{
    return bytes.data() != nullptr ? bytes.data() : "";
}

std::filesystem::path fromUtf8Name(const std::string &file)
{
    return std::filesystem::path(std::u8string(file.begin(), file.end()));
}

/// SQLite reads ? # % of a URI as its own.
std::string fileUri(const std::string &file)
{
    std::string uri = "file:";
    for (const char c : file) {
        if (c == '?' || c == '#' || c == '%')
            uri += fmt::format("%{:02X}", static_cast<unsigned>(c));
        else
            uri += c;
    }
    return uri;
}

void runBackup(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (backup == nullptr)
        throwSqlError(to, sqlite3_errcode(to));
    const int stepped = sqlite3_backup_step(backup, -1);
    const int finished = sqlite3_backup_finish(backup);
    if (finished != SQLITE_OK)
        throwSqlError(to, finished);
    if (stepped != SQLITE_DONE)
        throw MediumError("A copy of the history cannot be made now: the file is in use.");
}

} // namespace

Statement::Statement(sqlite3 *connection, std::string_view sql)
    : m_connection(connection)
{
    sqlite3_stmt *statement = nullptr;
    check(sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
    m_statement.reset(statement);
}

void Statement::Finalize::operator()(sqlite3_stmt *statement) const
{
    sqlite3_finalize(statement);
}

void Statement::check(int code) const
{
    if (code != SQLITE_OK)
        throwSqlError(m_connection, code);
}

Statement &Statement::bind(int index, std::int64_t value)
{
    check(sqlite3_bind_int64(m_statement.get(), index, value));
    return *this;
}

Statement &Statement::bind(int index, std::string_view text)
{
    check(sqlite3_bind_text64(m_statement.get(), index, dataOf(text), text.size(), SQLITE_TRANSIENT,
                              SQLITE_UTF8));
    return *this;
}

Statement &Statement::bind(int index, std::nullptr_t)
{
    check(sqlite3_bind_null(m_statement.get(), index));
    return *this;
}

Statement &Statement::bindBlob(int index, std::string_view bytes)
{
    check(sqlite3_bind_blob64(m_statement.get(), index, dataOf(bytes), bytes.size(), SQLITE_TRANSIENT));
    return *this;
}

Statement &Statement::bindColumn(int index, const Statement &row, int column)
{
    check(sqlite3_bind_value(m_statement.get(), index, sqlite3_column_value(row.m_statement.get(), column)));
    return *this;
}

bool Statement::step()
{
    const int code = sqlite3_step(m_statement.get());
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        throwSqlError(m_connection, code);
    return false;
}

void Statement::run()
{
    while (step()) { }
}

Statement &Statement::reset()
{
    sqlite3_reset(m_statement.get());
    return *this;
}

std::int64_t Statement::integer(int column) const
{
    return sqlite3_column_int64(m_statement.get(), column);
}

std::optional<std::int64_t> Statement::optionalInteger(int column) const
{
    return isNull(column) ? std::nullopt : std::optional(integer(column));
}

std::string Statement::text(int column) const
{
    return std::string(blob(column));
}

std::string_view Statement::blob(int column) const
{
    const void *data = sqlite3_column_blob(m_statement.get(), column);
    const int size = sqlite3_column_bytes(m_statement.get(), column);
    return data != nullptr ? std::string_view(static_cast<const char *>(data), static_cast<std::size_t>(size))
                           : std::string_view();
}

bool Statement::isNull(int column) const
{
    return sqlite3_column_type(m_statement.get(), column) == SQLITE_NULL;
}

Database::Database(const std::string &file, Mode mode)
    : m_file(file)
    , m_mode(mode)
{
    if (mode == Mode::ReadOnly) {
        try {
            open(file, SQLITE_OPEN_READONLY);
            (void)integer("SELECT count(*) FROM sqlite_master");
        } catch (const MediumError &) {
            // A write-ahead log needs a folder that can be written; without one the file cannot change
            // either.
            open(fileUri(file) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
        }
        return;
    }
    open(file, SQLITE_OPEN_READWRITE | (mode == Mode::Exclusive ? SQLITE_OPEN_CREATE : 0));
    if (mode == Mode::Salvage) {
        sqlite3_db_config(m_connection.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
        int keep = 1;
        sqlite3_file_control(m_connection.get(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
    }
    execute("PRAGMA foreign_keys = ON; PRAGMA locking_mode = EXCLUSIVE;");
}

void Database::open(const std::string &uri, int flags)
{
    sqlite3 *connection = nullptr;
    const int code = sqlite3_open_v2(uri.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    m_connection.reset(connection);
    if (code != SQLITE_OK)
        throwSqlError(connection, code);
    sqlite3_extended_result_codes(connection, 1);
    // A file may come from a stranger: no SQL in it may write to the internals of SQLite.
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
}

bool Database::hasMoved() const
{
    int moved = 0;
    sqlite3_file_control(m_connection.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
    return moved != 0;
}

std::vector<std::string> Database::findDamage()
{
    std::vector<std::string> problems;
    try {
        Statement check = prepare("PRAGMA quick_check(20)");
        while (check.step())
            problems.push_back(check.text(0));
    } catch (const DamagedDatabase &error) {
        problems.emplace_back(error.what());
    }
    if (problems.size() == 1 && problems.front() == "ok")
        problems.clear();
    return problems;
}

void Database::copyTo(const std::string &file) const
{
    const std::filesystem::path target = fromUtf8Name(file);
    std::filesystem::path part = target;
    part += ".part";
    std::error_code ignored;
    std::filesystem::remove(part, ignored);
    {
        Database copy(file + ".part");
        runBackup(copy.m_connection.get(), m_connection.get());
        // A copy is one file, without a log beside it.
        copy.execute("PRAGMA journal_mode = DELETE");
    }
    std::error_code error;
    std::filesystem::rename(part, target, error);
    if (error)
        throw MediumError(fmt::format("{}: cannot be written: {}", file, error.message()));
}

void Database::replaceBy(const Database &source)
{
    runBackup(m_connection.get(), source.m_connection.get());
}

void Database::Close::operator()(sqlite3 *connection) const
{
    sqlite3_close_v2(connection);
}

Statement Database::prepare(std::string_view sql)
{
    return Statement(m_connection.get(), sql);
}

void Database::execute(const std::string &sql)
{
    const int code = sqlite3_exec(m_connection.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK)
        throwSqlError(m_connection.get(), code);
}

std::int64_t Database::integer(std::string_view sql)
{
    Statement statement = prepare(sql);
    return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Database::changes() const
{
    return sqlite3_changes(m_connection.get());
}

bool Database::inTransaction() const
{
    return sqlite3_get_autocommit(m_connection.get()) == 0;
}

Transaction::Transaction(Database &database)
    : m_database(database)
    , m_open(!database.inTransaction())
{
    if (m_open && database.isReadOnly())
        throw Error("This history was opened for reading only: nothing can be changed in it.");
    if (m_open)
        m_database.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction()
{
    // After a full disk or a failed write SQLite has rolled back already.
    if (!m_open || !m_database.inTransaction())
        return;
    try {
        m_database.execute("ROLLBACK");
    } catch (const Error &) {
        // The error that made this unwind is the one to tell.
    }
}

void Transaction::commit()
{
    if (m_open)
        m_database.execute("COMMIT");
    m_open = false;
}

} // namespace bathyscope::storage
