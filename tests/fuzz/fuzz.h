// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the fuzz targets share. A target takes any bytes and must come back: an Error is an answer, a crash, a
// sanitizer's report, a time-out or any other exception is a finding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size);

namespace bathyscope::fuzz {

inline std::string_view asText(const std::uint8_t *data, std::size_t size)
{
    return {reinterpret_cast<const char *>(data), size};
}

/// A folder for this process that is removed at its end.
class Folder {
public:
    Folder();
    ~Folder();
    Folder(const Folder &) = delete;
    Folder &operator=(const Folder &) = delete;

    /// Writes a file and returns its path.
    std::filesystem::path write(const std::string &name, std::string_view bytes) const;
    [[nodiscard]] const std::filesystem::path &path() const { return m_path; }

private:
    std::filesystem::path m_path;
};

/// Ends the process as a finding.
void expect(bool condition, const char *what);

} // namespace bathyscope::fuzz
