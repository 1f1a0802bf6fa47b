// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "kernels/matrix.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bathyscope {

/// A named tensor in memory that its source owns, row-major, little-endian.
struct Tensor {
    kernels::DType dtype = kernels::DType::F32;
    std::vector<std::int64_t> shape = {};
    const void *data = nullptr;
    std::string file = {}; ///< where it is stored, for errors; empty when it is in no file

    [[nodiscard]] std::int64_t elements() const;
    [[nodiscard]] std::string describe() const; ///< "BF16 [128, 64]"
};

/// Where a model's tensors come from: a checkpoint, or weights made up in memory.
class TensorSource {
public:
    virtual ~TensorSource() = default;

    /// nullptr when there is none of that name.
    [[nodiscard]] virtual const Tensor *find(const std::string &name) const = 0;

    /// The same for a tensor whose shape is known beforehand: a source without files makes it up.
    [[nodiscard]] virtual const Tensor *find(const std::string &name, const std::vector<std::int64_t> &) const
    {
        return find(name);
    }

    /// Bytes of all tensors, as stored; 0 for a source that stores none.
    [[nodiscard]] virtual std::int64_t bytes() const { return 0; }

    /// The files, mapped: what loading can read ahead. Empty for a source without files.
    [[nodiscard]] virtual std::vector<std::span<const std::byte>> mappedFiles() const { return {}; }

    /// Throws Error when what was read from the tensors was not what the files hold; to be asked before a
    /// result is used.
    virtual void expectWhole() const { }

    /// What to call it in errors: the directory.
    [[nodiscard]] virtual std::string name() const = 0;
};

} // namespace bathyscope
