// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <random>
#include <string>

namespace bathyscope {

/// A directory that is removed with its contents at the end of the scope; with a copy of another one if
/// asked.
class TemporaryDirectory {
public:
    TemporaryDirectory()
    {
        std::random_device random;
        do
            m_path = std::filesystem::temp_directory_path() / ("bathyscope-test-" + std::to_string(random()));
        while (!std::filesystem::create_directory(m_path));
    }
    explicit TemporaryDirectory(const std::filesystem::path &source)
        : TemporaryDirectory()
    {
        for (const auto &entry : std::filesystem::directory_iterator(source)) {
            const auto target = m_path / entry.path().filename();
            std::filesystem::copy_file(entry.path(), target);
            std::filesystem::permissions(target, std::filesystem::perms::owner_write,
                                         std::filesystem::perm_options::add);
        }
    }
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;
    ~TemporaryDirectory()
    {
        std::error_code ignored;
        std::filesystem::remove_all(m_path, ignored);
    }

    [[nodiscard]] const std::filesystem::path &path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

} // namespace bathyscope
