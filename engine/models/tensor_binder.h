// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/checkpoint/tensor_source.h"

#include <string>
#include <vector>

namespace bathyscope {

/// Takes tensors out of a source by name and checks their shapes. Every failure is an Error naming the
/// source, the tensor, what was expected and what was found.
class TensorBinder {
public:
    explicit TensorBinder(const TensorSource &source)
        : m_source(source)
    {
    }

    [[nodiscard]] bool has(const std::string &name) const { return m_source.find(name) != nullptr; }

    /// `name`.weight [rows, columns], with `name`.weight_scale_inv where it is F8_E4M3.
    [[nodiscard]] kernels::MatrixView matrix(const std::string &name, std::int64_t rows,
                                             std::int64_t columns) const;

    /// A vector, widened to float32.
    [[nodiscard]] std::vector<float> vector(const std::string &name, std::int64_t size) const;

private:
    [[nodiscard]] const Tensor &tensor(const std::string &name, const std::vector<std::int64_t> &shape) const;

    const TensorSource &m_source;
};

} // namespace bathyscope
