// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernels that take a chunk of tokens through a layer, by name and with the grids they want. All calls
// enqueue on one stream; none waits. Where there is no kernel for a stored type, CudaError names it.
#pragma once

#include "kernels/cuda/grouped_params.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/packed_params.h"
#include "kernels/cuda/prefill_params.h"
#include "kernels/matrix.h"

#include <array>
#include <memory>

namespace bathyscope::kernels::cuda {

class PrefillKernels {
public:
    /// Loads the device code of `info`'s card, which is current. `stream` must outlive this.
    PrefillKernels(const DeviceInfo &info, const Stream &stream);

    /// Whether fp8Gemm() can be called: sm_90 only.
    [[nodiscard]] bool hasFp8Gemm() const { return m_fp8Module != nullptr; }

    /// Activations in bf16, weights of any type. `rows`: of c, the largest number there can be with groups.
    void gemm(DType weights, Epilogue epilogue, const GemmParams &params, std::int32_t rows) const;
    /// Activations and weights in e4m3, rows of a in the order of c's; k is a multiple of 16, n one of 8 (of
    /// 16 with Epilogue::Gated), firstRow one of 128.
    void fp8Gemm(Epilogue epilogue, const GemmParams &params, std::int32_t rows) const;

    /// Queries, keys and values of grouped-query attention, from their projections on.
    void heads(const PrefillHeadsParams &params, std::int32_t tokens) const;
    void attention(const PrefillAttentionParams &params) const;

    /// Packed matrices to bf16.
    void widen(const WidenPackedParams &params) const;
    void embed(const EmbedPackedParams &params, std::int32_t tokens) const;

    void fillAngles(const AnglesParams &params, std::int32_t tokens) const;
    void embed(DType embedding, const EmbedParams &params, std::int32_t tokens) const;
    void normRows(const NormRowsParams &params, std::int32_t rows) const;
    void quantiseRows(const QuantiseRowsParams &params, std::int32_t rows) const;
    void gatherRows(const GatherRowsParams &params, std::int32_t rows) const;
    void appendCache(const AppendCacheParams &params, std::int32_t tokens) const;
    void widenCache(const WidenCacheParams &params) const;
    void routerLogits(DType weights, const RouterLogitsParams &params) const;
    void chooseExperts(const ChooseExpertsParams &params) const;
    void sortByExpert(const SortByExpertParams &params) const;
    void combineExperts(const CombineParams &params, std::int32_t tokens) const;

private:
    static constexpr std::size_t epilogues = 4;
    static constexpr std::size_t dtypes = 4;

    const Stream &m_stream;
    std::int32_t m_multiprocessors;
    Module m_gemmModule;
    std::unique_ptr<Module> m_fp8Module; ///< none where the card cannot
    std::unique_ptr<Module> m_hopperAttentionModule; ///< likewise
    Module m_attentionModule;
    Module m_headsModule;
    Module m_widenModule;
    Module m_rowsModule;
    Module m_routerModule;
    std::array<std::array<Kernel, epilogues>, dtypes> m_gemm;
    std::array<Kernel, epilogues> m_fp8Gemm;
    Kernel m_attention;
    Kernel m_heads;
    Kernel m_widen;
    Kernel m_embedPacked;
    Kernel m_fillAngles;
    std::array<Kernel, dtypes> m_embed;
    Kernel m_normRows;
    Kernel m_quantiseRows;
    Kernel m_gatherRows;
    Kernel m_appendCache;
    Kernel m_widenCache;
    std::array<Kernel, 3> m_routerLogits;
    Kernel m_chooseExperts;
    Kernel m_sortByExpert;
    Kernel m_combineExperts;
};

} // namespace bathyscope::kernels::cuda
