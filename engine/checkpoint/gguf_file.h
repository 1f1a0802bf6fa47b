// SPDX-License-Identifier: GPL-3.0-or-later
//
// The GGUF file format, versions 2 and 3 (ggml, docs/gguf.md): counts, metadata, descriptions of tensors,
// then the tensors' bytes. Little-endian.
#pragma once

#include "engine/checkpoint/mapped_file.h"
#include "kernels/matrix.h"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace bathyscope {

/// A tensor's description, checked against the file: inside it, of the size its shape needs.
struct GgufTensor {
    kernels::DType dtype = kernels::DType::F32;
    std::vector<std::int64_t> shape; ///< row-major: the last dimension is contiguous (the file's first)
    std::span<const std::byte> bytes;
};

/// A mapped file, its metadata and its tensors.
class GgufFile {
public:
    /// Throws Error naming file, key or tensor, what was expected and found for anything contradictory, and
    /// for types of tensors that are not computed from.
    explicit GgufFile(const std::filesystem::path &path);

    /// An object of numbers, booleans, strings and arrays of them, by key. Strings are valid UTF-8.
    [[nodiscard]] const nlohmann::json &metadata() const { return m_metadata; }
    [[nodiscard]] const std::map<std::string, GgufTensor> &tensors() const { return m_tensors; }
    [[nodiscard]] const std::filesystem::path &path() const { return m_file.path(); }
    [[nodiscard]] std::span<const std::byte> bytes() const { return m_file.bytes(); } ///< the whole file
    void expectWhole() const { m_file.expectWhole(); } ///< see MappedFile

private:
    MappedFile m_file;
    nlohmann::json m_metadata = nlohmann::json::object();
    std::map<std::string, GgufTensor> m_tensors;
};

/// Whether a file begins as GGUF files do, whatever its name is. False for what cannot be read.
bool beginsAsGguf(const std::filesystem::path &path);

/// The metadata alone, also of a file whose tensors are of types that are not computed from. Throws Error.
nlohmann::json readGgufMetadata(const std::filesystem::path &path);

} // namespace bathyscope
