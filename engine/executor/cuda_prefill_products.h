// SPDX-License-Identifier: GPL-3.0-or-later
//
// Products of a chunk's rows with stored matrices, by whichever kernel has them.
#pragma once

#include "engine/executor/cuda_prefill.h"
#include "engine/executor/cuda_prefill_workspace.h"
#include "kernels/cuda/cublaslt.h"
#include "kernels/cuda/prefill_kernels.h"

#include <initializer_list>

namespace bathyscope::cuda {

/// Where a product puts its sums.
struct Target {
    kernels::cuda::Epilogue epilogue = kernels::cuda::Epilogue::Bf16;
    void *c = nullptr;
    std::int64_t stride = 0; ///< elements
};

class PrefillProducts {
public:
    /// On `part`'s card, which is current; `part` outlives this.
    PrefillProducts(const Part &part, const PrefillOptions &options);

    [[nodiscard]] const kernels::cuda::PrefillKernels &kernels() const { return m_kernels; }
    /// Why products in bf16 are not cuBLASLt's; empty where they are.
    [[nodiscard]] const std::string &withoutLibrary() const { return m_withoutLibrary; }

    /// Whether products with the matrix take e4m3 activations.
    [[nodiscard]] bool usesFp8(const DeviceMatrix &w) const
    {
        return m_quantise && w.dtype == kernels::DType::F8E4M3 && w.columns % 16 == 0;
    }
    /// A product with the whole matrix, without its rows.
    [[nodiscard]] kernels::cuda::GemmParams describe(const DeviceMatrix &w, const Rows &a,
                                                     const Target &target) const;
    /// c = a · Wᵀ with rows [firstRow, firstRow + rowCount) of W, all by default.
    void multiply(const DeviceMatrix &w, const Rows &a, const Target &target, std::int32_t rows,
                  std::int32_t firstRow = 0, std::int32_t rowCount = -1) const;

private:
    bool multiplyByLibrary(const DeviceMatrix &w, const Rows &a, const Target &target,
                           const kernels::cuda::GemmParams &p) const;

    const Part &m_part;
    kernels::cuda::PrefillKernels m_kernels;
    std::string m_withoutLibrary; ///< why, where there is none
    std::unique_ptr<kernels::cuda::CublasLt> m_library; ///< none: own kernels do its work
    bool m_quantise;
};

/// Rows on their way into products.
class RowPreparation {
public:
    RowPreparation(const PrefillProducts &products, const PrefillWorkspace &work, float epsilon)
        : m_products(products)
        , m_work(work)
        , m_epsilon(epsilon)
    {
    }

    /// Normalised rows in the forms that the products with `readers` want.
    Rows normalise(const float *x, const float *weight, const RowBuffer &out, std::int64_t columns,
                   std::int32_t rows, std::initializer_list<const DeviceMatrix *> readers) const;
    Rows quantise(const void *bf16, std::int64_t stride, const RowBuffer &out, std::int64_t columns,
                  std::int32_t rows) const;

private:
    const PrefillProducts &m_products;
    const PrefillWorkspace &m_work;
    float m_epsilon; ///< of the norms
};

} // namespace bathyscope::cuda
