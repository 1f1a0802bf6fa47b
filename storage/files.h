// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is done with database files as a whole. Names are UTF-8.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace bathyscope::storage {

class Database;

[[nodiscard]] std::string utf8Name(const std::filesystem::path &path);
[[nodiscard]] std::filesystem::path pathOf(const std::string &name);

/// The day as a file name has it, in local time: "2026-11-23".
[[nodiscard]] std::string today();
/// The second as a file name has it, in local time: "2026-11-23-120000".
[[nodiscard]] std::string thisSecond();

/// Renames a closed database and its log to a free name with `why` in it,
/// "history-damaged-2026-11-23-120000.db", and returns that. Throws MediumError.
std::string setDatabaseAside(const std::string &file, const std::string &why);

/// When an open database's file was removed or replaced, writes what it holds to its old place and opens
/// that. A foreign file that is there now is set aside. True when it did so; then the pragmas of the
/// connection are to be set again. Throws MediumError; then the connection is as it was, or, when all is
/// written but cannot be opened, none.
bool putBackWhenMoved(std::unique_ptr<Database> &database);

/// Where a whole new database waits until it can take the place of `file`.
[[nodiscard]] std::string rescuedName(const std::string &file);

/// Puts it there when nothing is in its way. Before opening: the program may have ended just before.
void adoptRescued(const std::string &file);

} // namespace bathyscope::storage
