// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/backup.h"

#include "engine/limits.h"
#include "storage/database.h"
#include "storage/files.h"
#include "storage/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>
#include <system_error>
#include <utility>

namespace bathyscope::storage {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kDay = "2026-11-23";
constexpr std::string_view kSecond = "2026-11-23-120000";

/// "history-2026-11-23"
bool isDaily(const std::string &name)
{
    constexpr std::string_view kShape = "history-0000-00-00";
    return name.size() == kShape.size()
        && std::equal(name.begin(), name.end(), kShape.begin(), [](char c, char shape) {
               return shape == '0' ? std::isdigit(static_cast<unsigned char>(c)) != 0 : c == shape;
           });
}

fs::path makeFolder(const fs::path &profile)
{
    const fs::path folder = backupFolder(profile);
    std::error_code error;
    if (fs::create_directories(folder, error))
        fs::permissions(folder, fs::perms::owner_all, error); // conversations are private
    if (error)
        throw MediumError(fmt::format("{}: expected a folder for copies of the history, found: {}",
                                      utf8Name(folder), error.message()));
    return folder;
}

} // namespace

fs::path backupFolder(const fs::path &profile)
{
    return profile / "backups";
}

std::vector<Backup> listBackups(const fs::path &profile)
{
    std::vector<Backup> all;
    std::error_code error;
    for (fs::directory_iterator entry(backupFolder(profile), error), end; !error && entry != end;
         entry.increment(error)) {
        const fs::path &path = entry->path();
        std::error_code unknown;
        if (path.extension() != ".db" || !entry->is_regular_file(unknown))
            continue;
        const std::string name = utf8Name(path.stem());
        all.push_back(
            {utf8Name(path), name, isDaily(name), static_cast<std::int64_t>(entry->file_size(unknown))});
    }
    // By the time in the name, its last part: the time of a file changes when a folder is copied.
    const auto date = [](const Backup &backup) {
        const std::size_t size = backup.daily ? kDay.size() : kSecond.size();
        return backup.name.size() > size ? backup.name.substr(backup.name.size() - size) : backup.name;
    };
    std::sort(all.begin(), all.end(), [&](const Backup &a, const Backup &b) {
        return std::pair(date(a), a.name) > std::pair(date(b), b.name);
    });
    return all;
}

bool backUpDaily(const Database &database, const fs::path &profile)
{
    const fs::path file = makeFolder(profile) / pathOf(fmt::format("history-{}.db", today()));
    std::error_code error;
    if (fs::exists(file, error))
        return false;
    database.copyTo(utf8Name(file));
    std::size_t daily = 0;
    for (const Backup &backup : listBackups(profile))
        if (backup.daily && ++daily > limits::dailyBackups)
            fs::remove(pathOf(backup.file), error);
    return true;
}

void backUpFor(const Database &database, const fs::path &profile, const std::string &reason)
{
    const fs::path folder = makeFolder(profile);
    const std::string base = fmt::format("history-{}-{}", reason, thisSecond());
    fs::path file = folder / pathOf(base + ".db");
    for (int i = 2; fs::exists(file); ++i)
        file = folder / pathOf(fmt::format("{}-{}.db", base, i));
    database.copyTo(utf8Name(file));
}

void expectUsable(const std::string &file)
{
    Database database(file, Database::Mode::ReadOnly);
    if (database.integer("PRAGMA application_id") != kApplicationId)
        throw Error(fmt::format("{}: expected a copy of the history, found another kind of file.", file));
    const std::int64_t version = database.integer("PRAGMA user_version");
    if (version > static_cast<std::int64_t>(migrations().size()))
        throw NewerDatabase(
            fmt::format("{}: expected a history of version {} or older, found version {}. Update "
                        "Bathyscope to use this copy.",
                        file, migrations().size(), version));
    const std::vector<std::string> problems = database.findDamage();
    if (!problems.empty())
        throw DamagedDatabase(fmt::format("{}: this copy is damaged: {}", file, problems.front()));
}

} // namespace bathyscope::storage
