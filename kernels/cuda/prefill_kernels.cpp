// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/prefill_kernels.h"

#include "kernels/cuda/images.h"
#include "kernels/cuda/tensor_map.h"

#include <algorithm>

BATHYSCOPE_DEVICE_IMAGE(any_grouped_gemm)
BATHYSCOPE_DEVICE_IMAGE(any_prefill_attention)
BATHYSCOPE_DEVICE_IMAGE(any_prefill_heads)
BATHYSCOPE_DEVICE_IMAGE(any_prefill_router)
BATHYSCOPE_DEVICE_IMAGE(any_prefill_rows)
BATHYSCOPE_DEVICE_IMAGE(any_widen_packed)
BATHYSCOPE_DEVICE_IMAGE(sm90_fp8_grouped_gemm)
BATHYSCOPE_DEVICE_IMAGE(sm90_prefill_attention)

namespace bathyscope::kernels::cuda {

namespace {

constexpr std::array<const char *, 4> dtypeNames = {"f32", "f16", "bf16", "e4m3"}; // as DType
constexpr std::array<const char *, 4> epilogueNames = {"bf16", "f32", "add", "gated"}; // as Epilogue

// Dynamic shared memory: as the .cu files lay it out.
constexpr unsigned gemmShared = 3 * 2 * 128 * 64 * 2; // three stages of a and b
constexpr unsigned fp8GemmShared =
    4 * (128 + 256) * 128 + 8 * 4096 + 4 * 16; // four stages, staging of eight warps, two barriers a stage
constexpr unsigned attentionShared = 3 * 128 * 128 + 2 * 5 * 32 * 128; // queries, two stages of keys
constexpr unsigned hopperAttentionShared =
    (3 * 3 + 2 * 2) * 128 * 128 + 2 * 4 * 8; // and two stages, barriers
constexpr std::int32_t attentionQueries = 128;
constexpr unsigned rowThreads = 256;

unsigned ceilDiv(std::int32_t a, std::int32_t b)
{
    return static_cast<unsigned>((a + b - 1) / b);
}

/// Tiles of rows there can be: with groups, each may have one that is not full.
unsigned rowTiles(const GemmParams &p, std::int32_t rows)
{
    return p.groups == 0
        ? ceilDiv(rows, gemmTile)
        : std::min(static_cast<unsigned>(rows), static_cast<unsigned>(rows / gemmTile + p.groups));
}

std::string joined(const char *prefix, const char *name)
{
    return std::string(prefix) + "_" + name;
}

/// None where the card or the build is without sm_90a.
std::unique_ptr<Module> hopperModule(const DeviceInfo &info, std::span<const unsigned char> image)
{
    return info.major == 9 && !image.empty() ? std::make_unique<Module>(image) : nullptr;
}

/// The kernel of a table by stored type. Throws CudaError where there is none.
template <typename Table>
const auto &ofType(const Table &table, DType dtype)
{
    const auto index = static_cast<std::size_t>(dtype);
    if (index >= table.size())
        throw CudaError(std::string("no GPU kernel for weights stored as ") + blockOf(dtype).name,
                        CUDA_ERROR_NOT_SUPPORTED);
    return table[index];
}

} // namespace

PrefillKernels::PrefillKernels(const DeviceInfo &info, const Stream &stream)
    : m_stream(stream)
    , m_multiprocessors(info.multiprocessors)
    , m_gemmModule(images::any_grouped_gemm())
    , m_fp8Module(hopperModule(info, images::sm90_fp8_grouped_gemm()))
    , m_hopperAttentionModule(hopperModule(info, images::sm90_prefill_attention()))
    , m_attentionModule(images::any_prefill_attention())
    , m_headsModule(images::any_prefill_heads())
    , m_widenModule(images::any_widen_packed())
    , m_rowsModule(images::any_prefill_rows())
    , m_routerModule(images::any_prefill_router())
    , m_attention(m_hopperAttentionModule ? m_hopperAttentionModule->kernel("prefill_attention_sm90")
                                          : m_attentionModule.kernel("prefill_attention"))
    , m_heads(m_headsModule.kernel("prefill_heads"))
    , m_widen(m_widenModule.kernel("widen_packed"))
    , m_embedPacked(m_widenModule.kernel("embed_packed"))
    , m_fillAngles(m_rowsModule.kernel("fill_angles"))
    , m_normRows(m_rowsModule.kernel("norm_rows"))
    , m_quantiseRows(m_rowsModule.kernel("quantise_rows"))
    , m_gatherRows(m_rowsModule.kernel("gather_rows"))
    , m_appendCache(m_rowsModule.kernel("append_cache"))
    , m_widenCache(m_rowsModule.kernel("widen_cache"))
    , m_chooseExperts(m_routerModule.kernel("choose_experts"))
    , m_sortByExpert(m_routerModule.kernel("sort_by_expert"))
    , m_combineExperts(m_rowsModule.kernel("combine_experts"))
{
    for (std::size_t d = 0; d < dtypes; ++d) {
        m_embed[d] = m_rowsModule.kernel(joined("embed", dtypeNames[d]).c_str());
        if (d < m_routerLogits.size())
            m_routerLogits[d] = m_routerModule.kernel(joined("router_logits", dtypeNames[d]).c_str());
        for (std::size_t e = 0; e < epilogues; ++e) {
            const std::string prefix = joined("gemm", dtypeNames[d]);
            m_gemm[d][e] = m_gemmModule.kernel(joined(prefix.c_str(), epilogueNames[e]).c_str());
            m_gemm[d][e].allowSharedMemory(gemmShared);
        }
    }
    for (std::size_t e = 0; m_fp8Module && e < epilogues; ++e) {
        m_fp8Gemm[e] = m_fp8Module->kernel(joined("fp8_gemm", epilogueNames[e]).c_str());
        m_fp8Gemm[e].allowSharedMemory(fp8GemmShared);
    }
    m_attention.allowSharedMemory(m_hopperAttentionModule ? hopperAttentionShared : attentionShared);
}

void PrefillKernels::gemm(DType weights, Epilogue epilogue, const GemmParams &params, std::int32_t rows) const
{
    const std::int32_t width = epilogue == Epilogue::Gated ? gemmTile / 2 : gemmTile;
    launch(ofType(m_gemm, weights)[static_cast<std::size_t>(epilogue)],
           {.grid = {rowTiles(params, rows) * ceilDiv(params.n, width)},
            .block = {256},
            .sharedBytes = gemmShared},
           m_stream, params);
}

void PrefillKernels::fp8Gemm(Epilogue epilogue, const GemmParams &params, std::int32_t rows) const
{
    const auto weights = [&](const WeightPointers &w) {
        return encodeTensorMap({.data = w.data,
                                .rows = params.n,
                                .columns = params.k,
                                .rowStride = params.k,
                                .matrices = std::max(params.groups, 1),
                                .matrixStride = params.groupBytes});
    };
    const bool gated = epilogue == Epilogue::Gated;
    const Fp8GemmParams all{
        .a = encodeTensorMap(
            {.data = params.a, .rows = rows, .columns = params.k, .rowStride = params.aStride}),
        .weights = weights(params.weights),
        .up = weights(gated ? params.up : params.weights),
        .gemm = params};
    const unsigned tiles = rowTiles(params, rows) * ceilDiv(params.n, gated ? 128 : 256);
    launch(m_fp8Gemm[static_cast<std::size_t>(epilogue)],
           {.grid = {std::min(tiles, static_cast<unsigned>(m_multiprocessors))},
            .block = {384},
            .sharedBytes = fp8GemmShared},
           m_stream, all);
}

void PrefillKernels::heads(const PrefillHeadsParams &params, std::int32_t tokens) const
{
    launch(m_heads,
           {.grid = {static_cast<unsigned>(tokens)}, .block = {static_cast<unsigned>(groupedThreads)}},
           m_stream, params);
}

void PrefillKernels::attention(const PrefillAttentionParams &params) const
{
    const unsigned blocks = ceilDiv(params.tokens, attentionQueries);
    const auto heads = static_cast<unsigned>(params.heads);
    if (m_hopperAttentionModule)
        launch(m_attention, {.grid = {heads, blocks}, .block = {384}, .sharedBytes = hopperAttentionShared},
               m_stream, params);
    else
        launch(m_attention, {.grid = {blocks, heads}, .block = {256}, .sharedBytes = attentionShared},
               m_stream, params);
}

void PrefillKernels::widen(const WidenPackedParams &params) const
{
    launch(m_widen, {.grid = {static_cast<unsigned>(8 * m_multiprocessors)}, .block = {rowThreads}}, m_stream,
           params);
}

void PrefillKernels::embed(const EmbedPackedParams &params, std::int32_t tokens) const
{
    launch(m_embedPacked, {.grid = {static_cast<unsigned>(tokens)}, .block = {rowThreads}}, m_stream, params);
}

void PrefillKernels::fillAngles(const AnglesParams &params, std::int32_t tokens) const
{
    launch(m_fillAngles, {.grid = {static_cast<unsigned>(tokens)}, .block = {32}}, m_stream, params);
}

void PrefillKernels::embed(DType embedding, const EmbedParams &params, std::int32_t tokens) const
{
    launch(ofType(m_embed, embedding), {.grid = {static_cast<unsigned>(tokens)}, .block = {rowThreads}},
           m_stream, params);
}

void PrefillKernels::normRows(const NormRowsParams &params, std::int32_t rows) const
{
    launch(m_normRows, {.grid = {static_cast<unsigned>(rows)}, .block = {rowThreads}}, m_stream, params);
}

void PrefillKernels::quantiseRows(const QuantiseRowsParams &params, std::int32_t rows) const
{
    launch(m_quantiseRows, {.grid = {static_cast<unsigned>(rows)}, .block = {rowThreads}}, m_stream, params);
}

void PrefillKernels::gatherRows(const GatherRowsParams &params, std::int32_t rows) const
{
    launch(m_gatherRows, {.grid = {static_cast<unsigned>(rows)}, .block = {128}}, m_stream, params);
}

void PrefillKernels::appendCache(const AppendCacheParams &params, std::int32_t tokens) const
{
    launch(m_appendCache, {.grid = {static_cast<unsigned>(tokens)}, .block = {rowThreads}}, m_stream, params);
}

void PrefillKernels::widenCache(const WidenCacheParams &params) const
{
    launch(m_widenCache, {.grid = {static_cast<unsigned>(4 * m_multiprocessors)}, .block = {rowThreads}},
           m_stream, params);
}

void PrefillKernels::routerLogits(DType weights, const RouterLogitsParams &params) const
{
    launch(ofType(m_routerLogits, weights),
           {.grid = {ceilDiv(params.tokens, 16), ceilDiv(params.experts, 64)}, .block = {rowThreads}},
           m_stream, params);
}

void PrefillKernels::chooseExperts(const ChooseExpertsParams &params) const
{
    constexpr std::int32_t tokensPerBlock = 4;
    const auto shared = static_cast<unsigned>(tokensPerBlock * 2 * params.experts) * sizeof(float);
    launch(m_chooseExperts,
           {.grid = {ceilDiv(params.tokens, tokensPerBlock)},
            .block = {32 * tokensPerBlock},
            .sharedBytes = static_cast<unsigned>(shared)},
           m_stream, params);
}

void PrefillKernels::sortByExpert(const SortByExpertParams &params) const
{
    launch(m_sortByExpert, {.grid = {1}, .block = {1024}}, m_stream, params);
}

void PrefillKernels::combineExperts(const CombineParams &params, std::int32_t tokens) const
{
    launch(m_combineExperts, {.grid = {static_cast<unsigned>(tokens)}, .block = {rowThreads}}, m_stream,
           params);
}

} // namespace bathyscope::kernels::cuda
