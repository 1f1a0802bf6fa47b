// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/files.h"

#include "storage/database.h"
#include "storage/history_types.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <system_error>

namespace bathyscope::storage {

namespace fs = std::filesystem;

namespace {

void renameOrThrow(const fs::path &from, const fs::path &to)
{
    std::error_code error;
    fs::rename(from, to, error);
    if (error)
        throw MediumError(
            fmt::format("{}: cannot be renamed to {}: {}", utf8Name(from), utf8Name(to), error.message()));
}

fs::path with(const fs::path &path, const std::string &ending)
{
    fs::path result = path;
    result += ending;
    return result;
}

fs::path freeName(const fs::path &file, const std::string &why)
{
    const std::string base = fmt::format("{}-{}-{}", utf8Name(file.stem()), why, thisSecond());
    fs::path name = file.parent_path() / pathOf(base + ".db");
    for (int i = 2; fs::exists(name); ++i)
        name = file.parent_path() / pathOf(fmt::format("{}-{}.db", base, i));
    return name;
}

} // namespace

std::string utf8Name(const fs::path &path)
{
    const std::u8string text = path.u8string();
    return {text.begin(), text.end()};
}

fs::path pathOf(const std::string &name)
{
    return {std::u8string(name.begin(), name.end())};
}

std::string today()
{
    return fmt::format("{:%Y-%m-%d}", fmt::localtime(std::time(nullptr)));
}

std::string thisSecond()
{
    return fmt::format("{:%Y-%m-%d-%H%M%S}", fmt::localtime(std::time(nullptr)));
}

std::string rescuedName(const std::string &file)
{
    return file + ".rescued";
}

std::string setDatabaseAside(const std::string &file, const std::string &why)
{
    const fs::path path = pathOf(file);
    const fs::path kept = freeName(path, why);
    // The log first: a database without its log is still one, a log without its database is nothing.
    std::error_code error;
    for (const char *ending : {"-wal", "-journal"})
        if (fs::exists(with(path, ending), error))
            renameOrThrow(with(path, ending), with(kept, ending));
    fs::remove(with(path, "-shm"), error);
    renameOrThrow(path, kept);
    return utf8Name(kept);
}

bool putBackWhenMoved(std::unique_ptr<Database> &database)
{
    if (!database->hasMoved())
        return false;
    const std::string file = database->file();
    const fs::path path = pathOf(file);
    const fs::path rescued = pathOf(rescuedName(file));
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    database->copyTo(utf8Name(rescued));
    if (fs::exists(path, error))
        (void)setDatabaseAside(file, "foreign");
    database.reset();
    adoptRescued(file);
    database = std::make_unique<Database>(file);
    return true;
}

void adoptRescued(const std::string &file)
{
    const fs::path path = pathOf(file);
    const fs::path rescued = pathOf(rescuedName(file));
    std::error_code error;
    if (!fs::exists(rescued, error) || fs::exists(path, error))
        return;
    fs::remove(with(path, "-wal"), error);
    fs::remove(with(path, "-shm"), error);
    renameOrThrow(rescued, path);
}

} // namespace bathyscope::storage
