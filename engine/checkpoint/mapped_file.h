// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/checkpoint/mapping_guard.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>

namespace bathyscope {

/// A whole file mapped read-only into memory.
class MappedFile {
public:
    /// Throws Error naming the file when it cannot be opened or mapped.
    explicit MappedFile(const std::filesystem::path &path);
    MappedFile(const MappedFile &) = delete;
    MappedFile &operator=(const MappedFile &) = delete;
    ~MappedFile();

    /// Throws Error when the file shrank and bytes() were read where there is nothing any more; those reads
    /// gave zeros.
    void expectWhole() const;

    /// Of the size that the file had when it was opened.
    [[nodiscard]] std::span<const std::byte> bytes() const { return m_bytes; }
    [[nodiscard]] const std::filesystem::path &path() const { return m_path; }

private:
    std::filesystem::path m_path;
    std::span<const std::byte> m_bytes;
    std::optional<MappingGuard> m_guard; ///< none for an empty file
};

} // namespace bathyscope
