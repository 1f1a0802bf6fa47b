// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/layout/layout_rules.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

namespace bathyscope::layout {

namespace {

using Strings = std::vector<std::string>;

constexpr std::string_view spdxLine = "// SPDX-License-Identifier: GPL-3.0-or-later";

/// What a folder may include: groups of headers by the names that groupOf() gives, and single headers.
struct Room {
    std::string_view folder;
    std::set<std::string_view> allowed;
};

const std::vector<Room> &rooms()
{
    static const std::vector<Room> table = {
        {"kernels", {"kernels", "std", "Highway", "CUDA", "dlfcn.h", "windows.h"}},
        {"engine", {"engine", "kernels", "std", "system", "fmt", "nlohmann-json", "PCRE2"}},
        {"storage",
         {"storage", "engine/records.h", "engine/error.h", "engine/limits.h", "std", "system", "fmt",
          "nlohmann-json", "SQLite"}},
        {"ui", {"ui", "engine/records.h", "std", "Qt", "md4c"}},
        {"app",
         {"app", "engine", "kernels", "storage", "ui", "std", "system", "fmt", "nlohmann-json", "Qt",
          "qtkeychain"}},
        {"tests",
         {"tests", "app", "engine", "kernels", "storage", "ui", "std", "system", "fmt", "nlohmann-json",
          "PCRE2", "Highway", "CUDA", "SQLite", "Qt", "md4c", "googletest"}},
    };
    return table;
}

const Room *roomOf(std::string_view folder)
{
    const auto found = std::ranges::find(rooms(), folder, &Room::folder);
    return found == rooms().end() ? nullptr : &*found;
}

bool isQtHeader(std::string_view header)
{
    if (header.starts_with("Qt"))
        return true;
    return header.size() > 1 && header[0] == 'Q' && std::isupper(static_cast<unsigned char>(header[1]));
}

/// The library or folder that a header belongs to; nothing for one that the table does not know.
std::optional<std::string_view> groupOf(std::string_view header)
{
    const std::size_t slash = header.find('/');
    const std::string_view first = header.substr(0, slash);
    if (slash != std::string_view::npos) {
        if (const Room *room = roomOf(first))
            return room->folder;
    }
    struct Prefix {
        std::string_view prefix, group;
    };
    static constexpr Prefix prefixes[] = {{"fmt/", "fmt"},          {"nlohmann/", "nlohmann-json"},
                                          {"pcre2.h", "PCRE2"},     {"hwy/", "Highway"},
                                          {"sqlite3", "SQLite"},    {"qt6keychain/", "qtkeychain"},
                                          {"md4c", "md4c"},         {"gtest/", "googletest"},
                                          {"gmock/", "googletest"}, {"cuda", "CUDA"},
                                          {"cublas", "CUDA"},       {"nvrtc", "CUDA"},
                                          {"mma.h", "CUDA"},        {"nccl", "CUDA"},
                                          {"sys/", "system"},       {"linux/", "system"},
                                          {"unistd.h", "system"},   {"fcntl.h", "system"},
                                          {"dlfcn.h", "system"},    {"pthread.h", "system"},
                                          {"sched.h", "system"},    {"signal.h", "system"},
                                          {"execinfo.h", "system"}, {"malloc.h", "system"},
                                          {"windows.h", "system"},  {"immintrin.h", "system"},
                                          {"io.h", "system"},       {"shellapi.h", "system"},
                                          {"shlobj.h", "system"}};
    for (const Prefix &known : prefixes) {
        if (header.starts_with(known.prefix))
            return known.group;
    }
    if (isQtHeader(header))
        return "Qt";
    // Headers of the standard library have neither folder nor ending.
    if (header.find_first_of("/.") == std::string_view::npos)
        return "std";
    return std::nullopt;
}

std::string_view trimmed(std::string_view text)
{
    const std::size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos)
        return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

/// The header that a line includes: #include <header> or #include "header".
std::optional<std::string_view> includedHeader(std::string_view line)
{
    line = trimmed(line);
    if (!line.starts_with('#'))
        return std::nullopt;
    line = trimmed(line.substr(1));
    if (!line.starts_with("include"))
        return std::nullopt;
    line = trimmed(line.substr(std::string_view("include").size()));
    if (line.empty() || (line[0] != '<' && line[0] != '"'))
        return std::nullopt;
    return line.substr(1, line.find_first_of(">\"", 1) - 1);
}

/// Why the folder may not include the header; empty when it may.
std::string objection(const Room &room, std::string_view header)
{
    // moc writes this one, beside a source file that declares a QObject.
    if (header.ends_with(".moc") && room.allowed.contains("Qt"))
        return {};
    const std::optional<std::string_view> group = groupOf(header);
    if (!group) {
        return "\"" + std::string(header)
            + "\" is neither written from the repository root nor of a library in "
              "tests/layout/layout_rules.cpp";
    }
    if (room.allowed.contains(*group) || room.allowed.contains(header))
        return {};
    return std::string(room.folder) + " may not include \"" + std::string(header) + "\" ("
        + std::string(*group) + ")";
}

Strings linesOf(std::string_view text)
{
    Strings lines;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

bool isSource(const std::filesystem::path &path)
{
    static const std::set<std::string> endings = {".cpp", ".h", ".cu", ".cuh"};
    return endings.contains(path.extension().string());
}

} // namespace

std::vector<std::string> checkSource(std::string_view path, std::string_view text)
{
    Strings found;
    const auto report = [&](std::size_t line, const std::string &what) {
        found.push_back(std::string(path) + ":" + std::to_string(line) + ": " + what);
    };
    const Room *room = roomOf(path.substr(0, path.find('/')));
    if (!room) {
        report(1, "no folder of the table in tests/layout/layout_rules.cpp holds this file");
        return found;
    }
    const Strings lines = linesOf(text);
    if (lines.empty() || trimmed(lines[0]) != spdxLine)
        report(1, "the first line must be " + std::string(spdxLine));
    if (lines.size() > maxFileLines)
        report(lines.size(),
               "longer than " + std::to_string(maxFileLines) + " lines: a file that holds two jobs?");
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (const auto header = includedHeader(lines[i])) {
            if (const std::string why = objection(*room, *header); !why.empty())
                report(i + 1, why);
        }
    }
    return found;
}

std::vector<std::string> checkTopLevel(const std::vector<std::string> &names)
{
    static const std::set<std::string_view> allowed = {
        "CMakeLists.txt", "CMakePresets.json", "LICENSE",   "README.md", "app",   "engine",
        "kernels",        "packaging",         "resources", "storage",   "tests", "ui"};
    Strings found;
    for (const std::string &name : names) {
        if (!allowed.contains(name) && !name.starts_with('.') && !name.starts_with("build"))
            found.push_back(name + ": does not belong to the top level");
    }
    return found;
}

std::vector<std::string> checkTree(const std::filesystem::path &root)
{
    Strings found;
    for (const Room &room : rooms()) {
        if (!std::filesystem::exists(root / room.folder))
            continue;
        for (const auto &entry : std::filesystem::recursive_directory_iterator(root / room.folder)) {
            if (!entry.is_regular_file() || !isSource(entry.path()))
                continue;
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string text(std::istreambuf_iterator<char>(file), {});
            const Strings here = checkSource(entry.path().lexically_relative(root).generic_string(), text);
            found.insert(found.end(), here.begin(), here.end());
        }
    }
    return found;
}

} // namespace bathyscope::layout
