// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/checkpoint/safetensors.h"
#include "engine/checkpoint/tensor_source.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <unordered_map>

namespace bathyscope {

/// The type that weights stored as `type` are computed from; nothing where they cannot be.
[[nodiscard]] std::optional<kernels::DType> weightType(StoredType type);

/// The weights of a hub model directory: `model.safetensors`, or the files that
/// `model.safetensors.index.json` lists. Memory-mapped, never copied.
class Checkpoint : public TensorSource {
public:
    /// Throws Error for missing or contradictory files and for names in the index that leave the directory.
    explicit Checkpoint(const std::filesystem::path &directory);

    using TensorSource::find;
    [[nodiscard]] const Tensor *find(const std::string &name) const override;
    [[nodiscard]] std::string name() const override;
    [[nodiscard]] std::vector<std::span<const std::byte>> mappedFiles() const override;
    void expectWhole() const override;

    [[nodiscard]] std::int64_t bytes() const override;

    /// In the order of their names.
    [[nodiscard]] const std::vector<std::unique_ptr<SafetensorsFile>> &files() const { return m_files; }

    /// Hexadecimal hash of all names, types, shapes and of samples of the data: the same for the same
    /// weights.
    [[nodiscard]] std::string fingerprint() const;

private:
    void addFile(const std::filesystem::path &path, const std::map<std::string, std::string> *weightMap);

    std::filesystem::path m_directory;
    std::vector<std::unique_ptr<SafetensorsFile>> m_files;
    std::unordered_map<std::string, Tensor> m_tensors;
};

} // namespace bathyscope
