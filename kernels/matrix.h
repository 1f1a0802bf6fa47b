// SPDX-License-Identifier: GPL-3.0-or-later
//
// Weights as they are stored, shared by all executors.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bathyscope::kernels {

/// The types behind F8E4M3 are GGUF's packed ones, under their names there.
enum class DType : std::uint8_t {
    F32,
    F16,
    BF16,
    F8E4M3,
    Q8_0,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    IQ4_NL,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    IQ4_XS
};

/// What is stored together: one element, or a block of elements with their scales. A row is whole blocks.
struct StoredBlock {
    const char *name; ///< for people
    std::int64_t elements;
    std::int64_t bytes;
};

constexpr StoredBlock blockOf(DType dtype)
{
    constexpr StoredBlock blocks[] = {
        {"F32", 1, 4},      {"F16", 1, 2},      {"BF16", 1, 2},     {"F8_E4M3", 1, 1},
        {"Q8_0", 32, 34},   {"Q4_0", 32, 18},   {"Q4_1", 32, 20},   {"Q5_0", 32, 22},
        {"Q5_1", 32, 24},   {"IQ4_NL", 32, 18}, {"Q2_K", 256, 84},  {"Q3_K", 256, 110},
        {"Q4_K", 256, 144}, {"Q5_K", 256, 176}, {"Q6_K", 256, 210}, {"IQ4_XS", 256, 136},
    };
    return blocks[static_cast<std::size_t>(dtype)];
}

constexpr bool isPacked(DType dtype)
{
    return blockOf(dtype).elements > 1;
}

/// Bytes of one row.
constexpr std::size_t rowBytes(DType dtype, std::int64_t columns)
{
    return static_cast<std::size_t>(columns / blockOf(dtype).elements * blockOf(dtype).bytes);
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
        return static_cast<const std::byte *>(data) + static_cast<std::size_t>(r) * rowBytes(dtype, columns);
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
