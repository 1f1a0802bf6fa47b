// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_prefill_products.h"

namespace bathyscope::cuda {

using kernels::DType;
using kernels::cuda::Epilogue;
using kernels::cuda::GemmParams;

PrefillProducts::PrefillProducts(const Part &part, const PrefillOptions &options)
    : m_part(part)
    , m_kernels(part.info, part.stream)
    , m_library(kernels::cuda::CublasLt::load(&m_withoutLibrary))
    , m_quantise(options.quantiseActivations && m_kernels.hasFp8Gemm())
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
