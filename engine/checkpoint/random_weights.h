// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/checkpoint/tensor_source.h"
#include "engine/models/model_config.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace bathyscope {

/// Weights made up in memory, for measuring shapes whose checkpoints are not at hand. Each tensor is made
/// when it is first asked for, with its own random numbers, scaled so that activations stay finite.
class RandomWeights final : public TensorSource {
public:
    /// `dtype` of the projections: BF16, F8E4M3, or a packed type, which is the embedding's and the head's as
    /// well. All else is BF16, as published.
    explicit RandomWeights(kernels::DType dtype);
    ~RandomWeights() override;

    [[nodiscard]] const Tensor *find(const std::string &name) const override;
    [[nodiscard]] const Tensor *find(const std::string &name,
                                     const std::vector<std::int64_t> &shape) const override;
    [[nodiscard]] std::string name() const override { return "random weights"; }

private:
    struct Entry;
    kernels::DType m_dtype;
    mutable std::map<std::string, std::unique_ptr<Entry>> m_entries;
};

/// The shapes that can be measured: "builtin", "deepseek-v2-lite", "r1-distill-qwen-1.5b",
/// "r1-distill-qwen-7b", "qwen3-30b-a3b" and "deepseek-v3:LAYERS", whose first three layers are dense as in
/// the model. Throws Error for any other name.
ModelConfig shapeConfig(const std::string &shape);

} // namespace bathyscope
