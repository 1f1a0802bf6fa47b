// SPDX-License-Identifier: GPL-3.0-or-later
//
// Copies of the history, in the folder `backups` beside it. Traces are not copied: they are large, and no
// word is in them.
#pragma once

#include "storage/history_types.h"

#include <filesystem>
#include <string>
#include <vector>

namespace bathyscope::storage {

class Database;

[[nodiscard]] std::filesystem::path backupFolder(const std::filesystem::path &profile);

/// Newest first.
[[nodiscard]] std::vector<Backup> listBackups(const std::filesystem::path &profile);

/// Makes today's copy unless it is there, and removes all daily ones but the newest limits::dailyBackups.
/// True when it made one. Throws MediumError.
bool backUpDaily(const Database &database, const std::filesystem::path &profile);

/// A copy that stays, named after `reason` ("before-version-2") and the time. Throws MediumError.
void backUpFor(const Database &database, const std::filesystem::path &profile, const std::string &reason);

/// Throws Error unless the file is a sound history of this version or an older one.
void expectUsable(const std::string &file);

} // namespace bathyscope::storage
