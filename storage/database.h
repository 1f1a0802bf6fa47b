// SPDX-License-Identifier: GPL-3.0-or-later
//
// SQLite's C API with owners for its objects and exceptions for its codes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace bathyscope::storage {

/// One prepared statement. Parameters count from 1, columns from 0. Views of a column are valid until the
/// next step.
class Statement {
public:
    Statement(sqlite3 *connection, std::string_view sql);

    Statement &bind(int index, std::int64_t value);
    Statement &bind(int index, std::string_view text);
    Statement &bind(int index, std::nullptr_t);
    Statement &bindBlob(int index, std::string_view bytes);
    /// A column of another statement's row, of whatever type it is.
    Statement &bindColumn(int index, const Statement &row, int column);
    template <typename Value>
    Statement &bind(int index, const std::optional<Value> &value)
    {
        return value ? bind(index, *value) : bind(index, nullptr);
    }

    /// True when there is a row.
    bool step();
    /// For a statement without rows.
    void run();
    /// To be bound and stepped again.
    Statement &reset();

    [[nodiscard]] std::int64_t integer(int column) const;
    [[nodiscard]] std::optional<std::int64_t> optionalInteger(int column) const;
    [[nodiscard]] std::string text(int column) const;
    [[nodiscard]] std::string_view blob(int column) const;
    [[nodiscard]] bool isNull(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt *statement) const;
    };
    void check(int code) const;

    sqlite3 *m_connection;
    std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
};

/// The connection. All functions throw MediumError when the medium refuses, DamagedDatabase when the file is
/// no sound database, Error otherwise.
class Database {
public:
    enum class Mode : std::uint8_t {
        Exclusive, ///< the file is made when it is missing, and no other connection can use it
        ReadOnly, ///< also from a folder that cannot be written
        Salvage ///< a damaged file that is to stay as it is
    };

    /// `file` is UTF-8. Foreign keys are on.
    explicit Database(const std::string &file, Mode mode = Mode::Exclusive);

    [[nodiscard]] Statement prepare(std::string_view sql);
    void execute(const std::string &sql);
    [[nodiscard]] std::int64_t integer(std::string_view sql); ///< first column of the first row
    [[nodiscard]] std::int64_t changes() const; ///< rows that the last statement changed
    [[nodiscard]] bool inTransaction() const;
    [[nodiscard]] const std::string &file() const { return m_file; }
    [[nodiscard]] bool isReadOnly() const { return m_mode == Mode::ReadOnly; }

    /// The file is no longer at its place: removed, renamed or replaced by another.
    [[nodiscard]] bool hasMoved() const;
    /// What SQLite finds wrong, at most 20 things; empty when all is well. Reads the whole file.
    [[nodiscard]] std::vector<std::string> findDamage();
    /// Writes a copy to `file`, which appears as a whole or not at all; by SQLite's backup API.
    void copyTo(const std::string &file) const;
    /// Takes over all that `source` holds, as a whole or not at all; by SQLite's backup API.
    void replaceBy(const Database &source);

private:
    struct Close {
        void operator()(sqlite3 *connection) const;
    };
    void open(const std::string &uri, int flags);

    std::string m_file;
    Mode m_mode;
    std::unique_ptr<sqlite3, Close> m_connection;
};

/// Undone unless committed. Inside another one it is a part of it.
class Transaction {
public:
    explicit Transaction(Database &database);
    ~Transaction();
    Transaction(const Transaction &) = delete;
    Transaction &operator=(const Transaction &) = delete;
    void commit();

private:
    Database &m_database;
    bool m_open = false; ///< this object began it and has to end it
};

} // namespace bathyscope::storage
