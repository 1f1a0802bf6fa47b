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
    /// c = silu(a · gateᵀ) * (a · upᵀ) in bf16, as `p` describes it with the whole of gate.
    void gated(const DeviceMatrix &gate, const DeviceMatrix &up, const kernels::cuda::GemmParams &p,
               std::int32_t rows) const;
    /// A product of rows sorted by expert in bf16, as `p` describes it; with `up`, gated.
    void grouped(kernels::cuda::Epilogue epilogue, const kernels::cuda::DeviceExperts &experts,
                 const kernels::cuda::DeviceExperts *up, const kernels::cuda::GemmParams &p,
                 std::int32_t rows) const;

private:
    void multiplyPacked(const DeviceMatrix &w, const Rows &a, const Target &target, std::int32_t rows,
                        std::int32_t firstRow, std::int32_t rowCount) const;
    /// Some rows of a packed matrix, or of each of several, in bf16: the place in m_widened is in bytes.
    [[nodiscard]] DeviceMatrix widen(const DeviceMatrix &w, std::int32_t firstRow, std::int32_t rowCount,
                                     std::int64_t place) const;
    [[nodiscard]] DeviceMatrix widen(const kernels::cuda::DeviceExperts &w, std::int32_t first,
                                     std::int32_t count, std::int64_t place) const;
    bool multiplyByLibrary(const DeviceMatrix &w, const Rows &a, const Target &target,
                           const kernels::cuda::GemmParams &p) const;

    const Part &m_part;
    kernels::cuda::PrefillKernels m_kernels;
    std::string m_withoutLibrary; ///< why, where there is none
    std::unique_ptr<kernels::cuda::CublasLt> m_library; ///< none: own kernels do its work
    bool m_quantise;
    DeviceBuffer m_widened; ///< a piece of a packed matrix in bf16; none where none is packed
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
