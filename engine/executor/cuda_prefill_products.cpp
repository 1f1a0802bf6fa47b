// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_prefill_products.h"

#include <algorithm>

namespace bathyscope::cuda {

using kernels::DType;
using kernels::cuda::Epilogue;
using kernels::cuda::GemmParams;

namespace {

/// Of a packed matrix in bf16 at once: most of it stays in the cache until it is used.
constexpr std::int64_t widenedBytes = std::int64_t(1) << 26U;

bool hasPacked(const Part &part)
{
    const auto packed = [](const DeviceMatrix &m) { return kernels::isPacked(m.dtype); };
    return std::any_of(part.layers.begin(), part.layers.end(), [&](const DeviceLayer &l) {
        return packed(l.qA) || packed(l.qB) || packed(l.kvA) || packed(l.grouped.q) || packed(l.grouped.k)
            || packed(l.grouped.v) || packed(l.o) || packed(l.gate) || packed(l.up) || packed(l.down)
            || packed(l.expertGate.first) || packed(l.expertUp.first) || packed(l.expertDown.first);
    });
}

/// Rows of a matrix that fit in `bytes` as bf16: a multiple of a tile, unless there are fewer.
std::int32_t rowsThatFit(std::int64_t bytes, std::int32_t columns)
{
    constexpr std::int64_t tile = kernels::cuda::gemmTile;
    return static_cast<std::int32_t>(std::max(bytes / (2 * std::int64_t(columns)) / tile, std::int64_t(1))
                                     * tile);
}

} // namespace

PrefillProducts::PrefillProducts(const Part &part, const PrefillOptions &options)
    : m_part(part)
    , m_kernels(part.info, part.stream)
    , m_library(kernels::cuda::CublasLt::load(&m_withoutLibrary))
    , m_quantise(options.quantiseActivations && m_kernels.hasFp8Gemm())
    , m_widened(hasPacked(part) ? widenedBytes : 0)
{
}

GemmParams PrefillProducts::describe(const DeviceMatrix &w, const Rows &a, const Target &target) const
{
    GemmParams p;
    const bool fp8 = usesFp8(w);
    p.a = fp8 ? static_cast<const void *>(a.e4m3) : a.bf16;
    p.aScales = a.scales;
    p.aStride = a.stride;
    p.aScaleStride = a.scaleStride;
    p.c = target.c;
    p.cStride = target.stride;
    p.weights = {w.data, w.scales};
    p.n = w.rows;
    p.k = w.columns;
    p.scaleColumns = w.scaleColumns;
    return p;
}

void PrefillProducts::multiply(const DeviceMatrix &w, const Rows &a, const Target &target, std::int32_t rows,
                               std::int32_t firstRow, std::int32_t rowCount) const
{
    if (kernels::isPacked(w.dtype))
        return multiplyPacked(w, a, target, rows, firstRow, rowCount < 0 ? w.rows : rowCount);
    GemmParams p = describe(w, a, target);
    p.m = rows;
    p.n = rowCount < 0 ? w.rows : rowCount;
    p.firstRow = firstRow;
    p.weights.data = static_cast<const std::byte *>(w.data)
        + static_cast<std::size_t>(firstRow) * kernels::rowBytes(w.dtype, w.columns);
    if (usesFp8(w) && firstRow % kernels::scaleBlock == 0) {
        m_kernels.fp8Gemm(target.epilogue, p, rows);
    } else if (!multiplyByLibrary(w, a, target, p)) {
        p.a = a.bf16;
        m_kernels.gemm(w.dtype, target.epilogue, p, rows);
    }
}

void PrefillProducts::multiplyPacked(const DeviceMatrix &w, const Rows &a, const Target &target,
                                     std::int32_t rows, std::int32_t firstRow, std::int32_t rowCount) const
{
    const std::int32_t most = rowsThatFit(widenedBytes, w.columns);
    const std::int64_t size = target.epilogue == Epilogue::Bf16 ? 2 : 4;
    for (std::int32_t done = 0; done < rowCount; done += most) {
        Target part = target;
        part.c = static_cast<std::byte *>(target.c) + done * size;
        multiply(widen(w, firstRow + done, std::min(most, rowCount - done), 0), a, part, rows);
    }
}

DeviceMatrix PrefillProducts::widen(const DeviceMatrix &w, std::int32_t firstRow, std::int32_t rowCount,
                                    std::int64_t place) const
{
    void *const to = m_widened.as<std::byte>() + place;
    const std::size_t bytes = kernels::rowBytes(w.dtype, w.columns);
    m_kernels.widen(
        {.data = static_cast<const std::byte *>(w.data) + static_cast<std::size_t>(firstRow) * bytes,
         .bf16 = to,
         .rows = rowCount,
         .columns = w.columns,
         .dtype = w.dtype});
    return {.data = to, .rows = rowCount, .columns = w.columns, .dtype = DType::BF16};
}

DeviceMatrix PrefillProducts::widen(const kernels::cuda::DeviceExperts &w, std::int32_t first,
                                    std::int32_t count, std::int64_t place) const
{
    void *const to = m_widened.as<std::byte>() + place;
    m_kernels.widen({.data = static_cast<const std::byte *>(w.first.data) + first * w.dataStride,
                     .bf16 = to,
                     .stride = w.dataStride,
                     .matrices = count,
                     .rows = w.first.rows,
                     .columns = w.first.columns,
                     .dtype = w.first.dtype});
    return {.data = to, .rows = w.first.rows, .columns = w.first.columns, .dtype = DType::BF16};
}

void PrefillProducts::gated(const DeviceMatrix &gate, const DeviceMatrix &up, const GemmParams &p,
                            std::int32_t rows) const
{
    if (!kernels::isPacked(gate.dtype))
        return m_kernels.gemm(gate.dtype, Epilogue::Gated, p, rows);
    const std::int32_t most = rowsThatFit(widenedBytes / 2, gate.columns);
    for (std::int32_t done = 0; done < gate.rows; done += most) {
        GemmParams part = p;
        part.n = std::min(most, gate.rows - done);
        part.weights = {widen(gate, done, part.n, 0).data, nullptr};
        part.up = {widen(up, done, part.n, widenedBytes / 2).data, nullptr};
        part.c = static_cast<std::uint16_t *>(p.c) + done;
        m_kernels.gemm(DType::BF16, Epilogue::Gated, part, rows);
    }
}

void PrefillProducts::grouped(Epilogue epilogue, const kernels::cuda::DeviceExperts &experts,
                              const kernels::cuda::DeviceExperts *up, const GemmParams &p,
                              std::int32_t rows) const
{
    if (!kernels::isPacked(experts.first.dtype))
        return m_kernels.gemm(experts.first.dtype, epilogue, p, rows);
    const std::int64_t bytes = std::int64_t(experts.first.rows) * experts.first.columns * 2; // of an expert
    const auto most = static_cast<std::int32_t>(std::max<std::int64_t>(widenedBytes / 2 / bytes, 1));
    for (std::int32_t done = 0; done < p.groups; done += most) {
        GemmParams part = p;
        part.groups = std::min(most, p.groups - done);
        part.groupRows += done;
        part.groupTiles += done;
        part.groupBytes = bytes;
        part.weights = {widen(experts, done, part.groups, 0).data, nullptr};
        if (up)
            part.up = {widen(*up, done, part.groups, widenedBytes / 2).data, nullptr};
        m_kernels.gemm(DType::BF16, epilogue, part, rows);
    }
}

/// Products in bf16 by cuBLASLt. False where it is not there, or cannot.
bool PrefillProducts::multiplyByLibrary(const DeviceMatrix &w, const Rows &a, const Target &target,
                                        const GemmParams &p) const
{
    if (!m_library || w.dtype != DType::BF16 || p.k % 8 != 0 || p.n % 8 != 0)
        return false;
    return m_library->multiply({.a = a.bf16,
                                .weights = p.weights.data,
                                .c = target.c,
                                .aStride = a.stride,
                                .cStride = target.stride,
                                .m = p.m,
                                .n = p.n,
                                .k = p.k,
                                .f32 = target.epilogue != Epilogue::Bf16,
                                .accumulate = target.epilogue == Epilogue::AddF32},
                               m_part.stream);
}

Rows RowPreparation::normalise(const float *x, const float *weight, const RowBuffer &out,
                               std::int64_t columns, std::int32_t rows,
                               std::initializer_list<const DeviceMatrix *> readers) const
{
    bool fp8 = false;
    bool bf16 = false;
    for (const DeviceMatrix *matrix : readers)
        if (matrix->rows > 0)
            (m_products.usesFp8(*matrix) ? fp8 : bf16) = true;
    m_products.kernels().normRows({.x = x,
                                   .weight = weight,
                                   .bf16 = bf16 ? out.bf16() : nullptr,
                                   .e4m3 = fp8 ? out.e4m3() : nullptr,
                                   .scales = out.scales(),
                                   .factors = m_work.factors.as<float>(),
                                   .n = static_cast<std::int32_t>(columns),
                                   .scaleStride = out.rows(),
                                   .epsilon = m_epsilon},
                                  rows);
    return out.view(columns);
}

Rows RowPreparation::quantise(const void *bf16, std::int64_t stride, const RowBuffer &out,
                              std::int64_t columns, std::int32_t rows) const
{
    m_products.kernels().quantiseRows({.bf16 = bf16,
                                       .e4m3 = out.e4m3(),
                                       .scales = out.scales(),
                                       .stride = stride,
                                       .n = static_cast<std::int32_t>(columns),
                                       .scaleStride = out.rows()},
                                      rows);
    return out.view(columns);
}

} // namespace bathyscope::cuda
