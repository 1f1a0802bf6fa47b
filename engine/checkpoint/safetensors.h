// SPDX-License-Identifier: GPL-3.0-or-later
//
// The safetensors file format (github.com/huggingface/safetensors, "Format"): 8 bytes little-endian header
// length, a JSON header, then the tensors' bytes.
#pragma once

#include "engine/checkpoint/mapped_file.h"
#include "engine/checkpoint/tensor_source.h"

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace bathyscope {

/// Element types a safetensors header can name that some tensor of ours uses.
enum class StoredType : std::uint8_t { F32, F16, BF16, F8E4M3, I32, I64, Other };

/// One entry of a header, checked against the file: inside it, of the size its shape needs.
struct StoredTensor {
    StoredType type = StoredType::Other;
    std::string typeName; ///< as in the header: "BF16"
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
};

/// A mapped file and its header.
class SafetensorsFile {
public:
    /// Throws Error naming file, tensor, what was expected and found for anything contradictory: truncated
    /// or oversized headers, offsets outside of the file, overlapping tensors, sizes that do not fit shapes.
    explicit SafetensorsFile(const std::filesystem::path &path);

    [[nodiscard]] const std::map<std::string, StoredTensor> &tensors() const { return m_tensors; }
    [[nodiscard]] const std::filesystem::path &path() const { return m_file.path(); }
    void expectWhole() const { m_file.expectWhole(); } ///< see MappedFile
    [[nodiscard]] std::span<const std::byte> bytes() const { return m_file.bytes(); } ///< the whole file
    [[nodiscard]] std::size_t headerBytes() const { return m_headerBytes; }

private:
    MappedFile m_file;
    std::size_t m_headerBytes = 0;
    std::map<std::string, StoredTensor> m_tensors;
};

/// What a header says of a tensor to be written.
struct TensorHeader {
    std::string name;
    std::string typeName; ///< "F32", "I32", …
    std::vector<std::int64_t> shape;
    std::uint64_t size = 0; ///< bytes
};

/// Writes a file whose tensors are made one at a time: `bytes(i)` gives those of the i-th, which stay until
/// the next call. Throws Error when it cannot.
void writeSafetensors(const std::filesystem::path &path, const std::vector<TensorHeader> &tensors,
                      const std::function<std::span<const std::byte>(std::size_t)> &bytes);

/// A tensor to be written.
struct TensorToWrite {
    std::string name;
    std::string typeName; ///< "F32" or "I32"
    std::vector<std::int64_t> shape;
    std::span<const std::byte> bytes;
};

/// Writes a file; throws Error when it cannot.
void writeSafetensors(const std::filesystem::path &path, const std::vector<TensorToWrite> &tensors);

} // namespace bathyscope
