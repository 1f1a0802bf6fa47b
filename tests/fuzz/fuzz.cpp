// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include <unistd.h>

namespace bathyscope::fuzz {

Folder::Folder()
    : m_path(std::filesystem::temp_directory_path() / ("bathyscope-fuzz-" + std::to_string(::getpid())))
{
    std::filesystem::create_directories(m_path);
}

Folder::~Folder()
{
    std::error_code ignored;
    std::filesystem::remove_all(m_path, ignored);
}

std::filesystem::path Folder::write(const std::string &name, std::string_view bytes) const
{
    const std::filesystem::path file = m_path / name;
    std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return file;
}

void expect(bool condition, const char *what)
{
    if (condition)
        return;
    std::fprintf(stderr, "not as it must be: %s\n", what);
    std::abort();
}

} // namespace bathyscope::fuzz
