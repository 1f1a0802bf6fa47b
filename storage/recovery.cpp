// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/recovery.h"

#include "storage/backup.h"
#include "storage/database.h"
#include "storage/files.h"
#include "storage/schema.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <set>
#include <system_error>

namespace bathyscope::storage {

namespace {

struct Table {
    std::string name;
    bool hasId; ///< rowid is the column `id`
    std::vector<std::string> indexes; ///< each tells all row ids once more
};

const std::array<Table, 5> kTables{
    {{"folders", true, {}},
     {"conversations", true, {"conversations_by_update", "conversations_by_leaf"}},
     {"models", false, {}},
     {"messages", true, {"messages_by_conversation", "messages_by_parent"}},
     {"token_chunks", true, {"token_chunks_by_message"}}}};

struct Counts {
    std::int64_t recovered = 0;
    std::int64_t lost = 0;
};

void collectIds(Database &damaged, const std::string &sql, std::set<std::int64_t> &ids)
{
    try {
        Statement select = damaged.prepare(sql);
        while (select.step())
            ids.insert(select.integer(0));
    } catch (const Error &) {
        // What came before the damaged page counts; other ways lead to what is behind it.
    }
}

/// From both ends of the table and from its indexes.
std::set<std::int64_t> rowIds(Database &damaged, const Table &table)
{
    std::set<std::int64_t> ids;
    for (const char *order : {"ASC", "DESC"})
        collectIds(damaged,
                   fmt::format("SELECT rowid FROM {} NOT INDEXED ORDER BY rowid {}", table.name, order), ids);
    for (const std::string &index : table.indexes)
        collectIds(damaged, fmt::format("SELECT rowid FROM {} INDEXED BY {}", table.name, index), ids);
    return ids;
}

/// Those that both have: the damaged one may be of an older version.
std::vector<std::string> commonColumns(Database &damaged, Database &sound, const Table &table)
{
    const auto columns = [&](Database &database) {
        std::vector<std::string> names;
        Statement select =
            database.prepare(fmt::format("SELECT name FROM pragma_table_info('{}')", table.name));
        while (select.step())
            names.push_back(select.text(0));
        return names;
    };
    const std::vector<std::string> has = columns(damaged);
    std::vector<std::string> common;
    for (const std::string &name : columns(sound))
        if (std::find(has.begin(), has.end(), name) != has.end())
            common.push_back(name);
    return common;
}

Counts copyTable(Database &damaged, Database &sound, const Table &table)
{
    Counts counts;
    std::vector<std::string> columns;
    try {
        columns = commonColumns(damaged, sound, table);
    } catch (const MediumError &) {
        throw;
    } catch (const Error &) {
        return counts;
    }
    if (columns.empty())
        return counts;
    const std::string list = fmt::format("{}", fmt::join(columns, ", "));
    std::string places;
    for (std::size_t i = 1; i <= columns.size(); ++i)
        places += fmt::format("{}?{}", i > 1 ? ", " : "", i);
    Statement insert =
        sound.prepare(fmt::format("INSERT OR IGNORE INTO {} ({}) VALUES ({})", table.name, list, places));
    for (const std::int64_t id : rowIds(damaged, table)) {
        try {
            // A statement of its own each time: one that met a damaged page is of no use any more.
            Statement select = damaged.prepare(
                fmt::format("SELECT {} FROM {} NOT INDEXED WHERE rowid = ?1", list, table.name));
            if (!select.bind(1, id).step()) {
                ++counts.lost;
                continue;
            }
            insert.reset();
            for (std::size_t i = 0; i < columns.size(); ++i)
                insert.bindColumn(static_cast<int>(i) + 1, select, static_cast<int>(i));
            insert.run();
            ++(sound.changes() > 0 ? counts.recovered : counts.lost);
        } catch (const MediumError &) {
            throw;
        } catch (const Error &) {
            ++counts.lost;
        }
    }
    return counts;
}

/// Puts messages whose conversation or parent is lost where they can be seen.
void mendTree(Database &sound)
{
    sound.execute("INSERT INTO conversations (id, title, system_prompt, pinned, created, updated) "
                  "  SELECT conversation, 'Recovered', '', 0, min(created), max(created) FROM messages "
                  "  WHERE conversation NOT IN (SELECT id FROM conversations) GROUP BY conversation;"
                  "UPDATE messages SET parent = (SELECT max(id) FROM messages AS before "
                  "    WHERE before.conversation = messages.conversation AND before.id < messages.id) "
                  "  WHERE parent IS NOT NULL AND NOT EXISTS (SELECT 1 FROM messages AS parents "
                  "    WHERE parents.id = messages.parent AND parents.conversation = messages.conversation "
                  "    AND parents.id < messages.id);"
                  "UPDATE conversations SET leaf = (SELECT max(id) FROM messages WHERE conversation = "
                  "conversations.id) "
                  "  WHERE leaf IS NULL OR NOT EXISTS (SELECT 1 FROM messages "
                  "    WHERE messages.id = conversations.leaf AND messages.conversation = conversations.id);"
                  "UPDATE conversations SET folder = NULL WHERE folder NOT IN (SELECT id FROM folders);"
                  "DELETE FROM token_chunks WHERE message NOT IN (SELECT id FROM messages);");
}

void salvage(const std::string &from, const std::string &to, Recovery &recovery)
{
    Database sound(to);
    migrate(sound, migrations());
    sound.execute("PRAGMA foreign_keys = OFF");
    {
        Database damaged(from, Database::Mode::Salvage);
        damaged.execute("PRAGMA cell_size_check = ON");
        Transaction transaction(sound);
        for (const Table &table : kTables) {
            const Counts counts = copyTable(damaged, sound, table);
            if (table.name == "conversations") {
                recovery.conversations = counts.recovered;
                recovery.lostConversations = counts.lost;
            } else if (table.name == "messages") {
                recovery.messages = counts.recovered;
                recovery.lostMessages = counts.lost;
            }
        }
        mendTree(sound);
        transaction.commit();
    }
    sound.execute("PRAGMA journal_mode = DELETE");
}

/// Copies the newest backup that can be used.
void useBackup(const std::string &file, const std::string &to, Recovery &recovery)
{
    for (const Backup &backup : listBackups(pathOf(file).parent_path())) {
        try {
            expectUsable(backup.file);
            const Database copy(backup.file, Database::Mode::ReadOnly);
            copy.copyTo(to);
            recovery.usedBackup = backup.file;
            return;
        } catch (const MediumError &) {
            throw;
        } catch (const Error &error) {
            recovery.problems.emplace_back(error.what());
        }
    }
}

} // namespace

std::string Recovery::text() const
{
    std::string text = fmt::format("The history was damaged and was set aside as {}. ", damagedFile);
    if (!usedBackup.empty())
        text += fmt::format(
            "Nothing in it could be read; the copy {} has taken its place. What was written since "
            "then is lost. ",
            usedBackup);
    else
        text += fmt::format("{} conversations with {} messages could be read and are in a new history. ",
                            conversations, messages);
    if (lostConversations + lostMessages > 0)
        text +=
            fmt::format("Known to be lost: {} conversations, {} messages. ", lostConversations, lostMessages);
    if (usedBackup.empty() && messages == 0)
        text += "What it held is lost unless you have a copy. ";
    if (!problems.empty())
        text += fmt::format("({})", problems.front());
    return text;
}

/// Each step leaves either the damaged file in its place or the new one to be adopted, see adoptRescued().
Recovery recoverDatabase(const std::string &file)
{
    Recovery recovery;
    const std::string part = file + ".recovering";
    const std::string whole = rescuedName(file);
    std::error_code error;
    for (const char *ending : {"", "-wal", "-journal"})
        std::filesystem::remove(pathOf(part + ending), error);
    try {
        salvage(file, part, recovery);
    } catch (const MediumError &) {
        throw;
    } catch (const Error &problem) {
        recovery.problems.emplace_back(problem.what()); // not a single row
    }
    if (recovery.conversations + recovery.messages == 0)
        useBackup(file, whole, recovery);
    if (recovery.usedBackup.empty()) {
        std::filesystem::rename(pathOf(part), pathOf(whole), error);
        if (error)
            throw MediumError(fmt::format("{}: cannot be written: {}", whole, error.message()));
    }
    std::filesystem::remove(pathOf(part), error);
    recovery.damagedFile = setDatabaseAside(file, "damaged");
    adoptRescued(file);
    return recovery;
}

} // namespace bathyscope::storage
