// SPDX-License-Identifier: GPL-3.0-or-later
//
// Weights as they are stored, shared by all executors.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bathyscope::kernels {

enum class DType : std::uint8_t { F32, F16, BF16, F8E4M3 };

constexpr std::size_t sizeOf(DType dtype)
{
    return dtype == DType::F32 ? 4 : dtype == DType::F8E4M3 ? 1 : 2;
}

/// Edge of the square blocks that share one scale in an FP8 checkpoint (DeepSeek-V3, section 3.3.2).
constexpr std::int64_t scaleBlock = 128;

/// A view of a row-major weight matrix [rows, columns], as stored. Multiplying by it means
/// y[r] = Σ_c W[r, c] x[c], as in torch.nn.Linear.
struct MatrixView {
    const void *data = nullptr;
    DType dtype = DType::F32;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    /// F8E4M3 only: multipliers [ceil(rows/128), ceil(columns/128)], row-major (`weight_scale_inv`).
    const float *scales = nullptr;
    std::int64_t scaleColumns = 0; ///< ceil(columns/128)
    std::int64_t firstRow = 0; ///< row of the whole matrix that row 0 of this view is; selects the scales

    [[nodiscard]] const void *row(std::int64_t r) const
    {
        return static_cast<const std::byte *>(data) + static_cast<std::size_t>(r * columns) * sizeOf(dtype);
    }

    [[nodiscard]] const float *scalesOfRow(std::int64_t r) const
    {
        return scales + (firstRow + r) / scaleBlock * scaleColumns;
    }

    /// Rows [begin, begin + count) as a view of their own.
    [[nodiscard]] MatrixView rowRange(std::int64_t begin, std::int64_t count) const
    {
        MatrixView view = *this;
        view.data = row(begin);
        view.rows = count;
        view.firstRow = firstRow + begin;
        return view;
    }
};

} // namespace bathyscope::kernels
