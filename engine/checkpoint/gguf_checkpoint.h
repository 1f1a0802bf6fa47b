// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/checkpoint/gguf_file.h"
#include "engine/checkpoint/tensor_source.h"

#include <filesystem>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace bathyscope {

/// `general.architecture` of the models that can run.
inline constexpr std::string_view ggufArchitectures = "llama, qwen2, qwen3, qwen3moe or deepseek2";

enum class GgufContents : std::uint8_t {
    All,
    Headers ///< enough to measure: tensors that would have to be copied have no data
};

/// The weights of a GGUF model, in one file or split into several, under their names on the hub. Experts that
/// are stored in one tensor are found one by one. Memory-mapped; only the halves of a split kv_b_proj
/// (attn_k_b, which is stored transposed, and attn_v_b) are copied, into the one float32 matrix that they
/// are.
class GgufCheckpoint : public TensorSource {
public:
    /// `file` is any part of a split model. Throws Error for missing or contradictory parts and for tensors
    /// that no known layer has.
    explicit GgufCheckpoint(const std::filesystem::path &file, GgufContents contents = GgufContents::All);

    using TensorSource::find;
    [[nodiscard]] const Tensor *find(const std::string &name) const override;
    [[nodiscard]] std::string name() const override;
    [[nodiscard]] std::vector<std::span<const std::byte>> mappedFiles() const override;
    void expectWhole() const override;

    [[nodiscard]] const nlohmann::json &metadata() const { return m_files.front()->metadata(); }
    [[nodiscard]] const std::filesystem::path &path() const { return m_files.front()->path(); }

    /// Divisors of the rotation's frequencies (`rope_freqs`): how a GGUF holds Llama 3.1's scaling; empty
    /// where there are none.
    [[nodiscard]] std::vector<float> ropeFactors() const;

    /// Bytes of all tensors, as stored.
    [[nodiscard]] std::int64_t bytes() const override;

    /// As Checkpoint::fingerprint().
    [[nodiscard]] std::string fingerprint() const;

private:
    void openParts(const std::filesystem::path &file);
    void addTensor(const GgufFile &file, const std::string &name, const GgufTensor &tensor);
    void addExperts(const std::string &layer, const std::string &projection, const Tensor &all);
    void joinKeysAndValues(const std::string &layer, const Tensor &keys, const Tensor &values);

    GgufContents m_contents;
    std::vector<std::unique_ptr<GgufFile>> m_files; ///< in the order of their numbers
    std::unordered_map<std::string, Tensor> m_tensors;
    std::vector<std::vector<float>> m_joined; ///< see joinKeysAndValues()
};

} // namespace bathyscope
