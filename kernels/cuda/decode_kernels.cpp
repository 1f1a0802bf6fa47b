// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/decode_kernels.h"

#include "kernels/cuda/images.h"

#include <algorithm>

BATHYSCOPE_DEVICE_IMAGE(any_decode_absorb)
BATHYSCOPE_DEVICE_IMAGE(any_decode_attention)
BATHYSCOPE_DEVICE_IMAGE(any_decode_experts)
BATHYSCOPE_DEVICE_IMAGE(any_decode_grouped_attention)
BATHYSCOPE_DEVICE_IMAGE(any_decode_project)

namespace bathyscope::kernels::cuda {

namespace {

constexpr std::array<const char *, 4> dtypeNames = {"f32", "f16", "bf16", "e4m3"}; // as DType
constexpr std::int32_t tileRows = 16; ///< of weights, which a block multiplies at once
constexpr std::int32_t staticSharedBytes = 24 * 1024; ///< at the most, of what a kernel declares itself
constexpr std::int32_t blocksOfMultiprocessor = 2; ///< of a kernel; another has room beside it

constexpr std::int64_t ceilDiv(std::int64_t a, std::int64_t b)
{
    return (a + b - 1) / b;
}

/// Shared memory of one token's activations: two parts of 16 bits each, of whole steps of 64 bytes of
/// weights, and what keeps them out of each other's banks.
std::int64_t stagedBytes(DType dtype, std::int64_t columns)
{
    const std::int64_t step = 64 / static_cast<std::int64_t>(rowBytes(dtype, 1));
    return 2 * (ceilDiv(columns, step) * step * 2 + 64);
}

std::int64_t attentionBytes(std::int32_t width)
{
    constexpr std::int64_t tile = decodeAttentionTile;
    return 2 * tile * (width + 8) * 2 + decodeHeadGroup * (tile + 8) * 2
        + 4 * decodeHeadGroup * (tile + 1) * 4 + decodeHeadGroup * 4;
}

std::size_t typeIndex(DType dtype)
{
    if (static_cast<std::size_t>(dtype) >= dtypeNames.size())
        throw CudaError(std::string("no GPU kernel for weights stored as ") + blockOf(dtype).name,
                        CUDA_ERROR_NOT_SUPPORTED);
    return static_cast<std::size_t>(dtype);
}

/// Columns that the threads of a block of decodeThreads keep in registers while they normalise.
constexpr std::int32_t normalisedColumns = 16 * decodeThreads;

/// Of a table's kernels for up to four tokens and for up to eight.
template <typename Table>
const Kernel &kernelFor(const Table &table, DType dtype, std::int32_t tokens)
{
    return table[typeIndex(dtype)][tokens > 4 ? 1 : 0];
}

} // namespace

DecodeKernels::DecodeKernels(const DeviceInfo &info, const Stream &stream)
    : m_stream(stream)
    , m_multiprocessors(info.multiprocessors)
    , m_sharedBytes(info.sharedMemoryPerBlock)
    , m_overlaps(info.major >= 9)
    , m_packed(info, stream)
    , m_projectModule(images::any_decode_project())
    , m_absorbModule(images::any_decode_absorb())
    , m_attentionModule(images::any_decode_attention())
    , m_groupedModule(images::any_decode_grouped_attention())
    , m_expertsModule(images::any_decode_experts())
    , m_begin(m_projectModule.kernel("decode_begin"))
    , m_attend(m_attentionModule.kernel("decode_attend"))
    , m_attendGrouped(m_groupedModule.kernel("decode_attend_grouped"))
    , m_project(load(m_projectModule, "decode_project"))
    , m_route(load(m_projectModule, "decode_route"))
    , m_expand(load(m_attentionModule, "decode_expand"))
    , m_activate(load(m_expertsModule, "decode_activate"))
    , m_join(load(m_expertsModule, "decode_join"))
{
    for (std::size_t d = 0; d < dtypes; ++d) {
        m_absorb[d] = m_absorbModule.kernel((std::string("decode_absorb_") + dtypeNames[d]).c_str());
        m_absorb[d].preferSharedMemory();
    }
    m_attend.allowSharedMemory(static_cast<int>(attentionBytes(decodeMaxWidth)));
    m_attend.preferSharedMemory();
}

DecodeKernels::ByType DecodeKernels::load(const Module &module, const std::string &name) const
{
    ByType kernels;
    for (std::size_t d = 0; d < dtypes; ++d)
        for (const bool wide : {false, true}) {
            Kernel &kernel = kernels[d][wide ? 1 : 0];
            kernel = module.kernel((name + "_" + dtypeNames[d] + (wide ? "_wide" : "")).c_str());
            kernel.allowSharedMemory(m_sharedBytes - staticSharedBytes);
            kernel.preferSharedMemory();
        }
    return kernels;
}

std::int32_t DecodeKernels::tokensThatFit(std::int64_t bytes) const
{
    const std::int64_t fit = (m_sharedBytes - staticSharedBytes) / bytes;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(fit, 1, decodeMaxTokens));
}

unsigned DecodeKernels::blocksFor(std::int64_t tiles) const
{
    return static_cast<unsigned>(std::min(tiles, std::int64_t(blocksOfMultiprocessor) * m_multiprocessors));
}

std::int32_t DecodeKernels::splits(std::int32_t tokens, std::int32_t heads) const
{
    const auto groups = static_cast<std::int32_t>(ceilDiv(heads, decodeHeadGroup));
    return std::clamp(m_multiprocessors / (tokens * groups), 1, decodeMaxSplits);
}

std::int32_t DecodeKernels::groupedSplits(std::int32_t tokens, std::int32_t groups) const
{
    return std::clamp(m_multiprocessors / (tokens * groups), 1, decodeMaxSplits);
}

template <typename Params>
void DecodeKernels::start(const Kernel &kernel, const Grid &grid, const Params &params) const
{
    launch(kernel,
           {.grid = grid.blocks,
            .block = {static_cast<unsigned>(grid.threads)},
            .sharedBytes = static_cast<unsigned>(grid.sharedBytes),
            .programmatic = m_overlaps},
           m_stream, params);
}

void DecodeKernels::begin(const BeginParams &params, const DecodeStep &step) const
{
    const bool packed = isPacked(params.embedding.dtype);
    BeginParams plain = params;
    if (packed)
        plain.embedding = {};
    const std::int64_t values = std::int64_t(step.tokens) * plain.embedding.columns;
    launch(m_begin,
           {.grid = {static_cast<unsigned>(std::clamp<std::int64_t>(ceilDiv(values, decodeThreads), 1, 64))},
            .block = {static_cast<unsigned>(decodeThreads)}},
           m_stream, plain, step);
    if (packed)
        m_packed.embed({.ids = params.step->ids, .x = params.x, .embedding = params.embedding}, step.tokens);
}

void DecodeKernels::project(const ProjectParams &params) const
{
    const DeviceMatrix &m = params.first;
    if (isPacked(m.dtype))
        return m_packed.project(params);
    const std::int64_t bytes = stagedBytes(m.dtype, m.columns);
    const std::int64_t tiles = ceilDiv(m.rows, tileRows) + ceilDiv(params.second.rows, tileRows)
        + ceilDiv(params.third.rows, tileRows);
    const std::int32_t fit = tokensThatFit(bytes);
    for (std::int32_t begin = 0; begin < params.tokens; begin += fit) {
        ProjectParams pass = params;
        pass.tokens = std::min(fit, params.tokens - begin);
        pass.x += std::int64_t(begin) * m.columns;
        pass.firstOut += std::int64_t(begin) * m.rows;
        pass.secondOut += std::int64_t(begin) * params.second.rows;
        pass.thirdOut += std::int64_t(begin) * params.third.rows;
        start(kernelFor(m_project, m.dtype, pass.tokens),
              {.blocks = {blocksFor(tiles)},
               .threads = tiles <= m_multiprocessors || m.columns > normalisedColumns ? decodeMaxThreads
                                                                                      : decodeThreads,
               .sharedBytes = pass.tokens * bytes},
              pass);
    }
}

void DecodeKernels::route(const RouteParams &params) const
{
    const ProjectParams &p = params.logits;
    const std::int64_t bytes = std::max<std::int64_t>(stagedBytes(p.first.dtype, p.first.columns),
                                                      2 * params.shape.experts * std::int64_t(sizeof(float)));
    start(kernelFor(m_route, p.first.dtype, p.tokens),
          {.blocks = {blocksFor(ceilDiv(p.first.rows, tileRows))},
           .threads = decodeMaxThreads,
           .sharedBytes = p.tokens * bytes},
          params);
}

void DecodeKernels::absorb(const AttentionParams &params) const
{
    constexpr std::int64_t columns = 128; // of the latent a block
    const std::int64_t blocks = params.tokens + params.heads * ceilDiv(params.latent, columns);
    start(m_absorb[typeIndex(params.kvB.dtype)], {.blocks = {static_cast<unsigned>(blocks)}}, params);
}

void DecodeKernels::attend(const AttentionParams &params) const
{
    start(m_attend,
          {.blocks = {static_cast<unsigned>(params.splits),
                      static_cast<unsigned>(ceilDiv(params.heads, decodeHeadGroup)),
                      static_cast<unsigned>(params.tokens)},
           .sharedBytes = attentionBytes(params.latent + params.rope)},
          params);
}

void DecodeKernels::expand(const AttentionParams &params) const
{
    const std::int64_t slices =
        std::clamp<std::int64_t>(m_multiprocessors / (2 * params.heads), 1, ceilDiv(params.value, tileRows));
    start(kernelFor(m_expand, params.kvB.dtype, params.tokens),
          {.blocks = {static_cast<unsigned>(params.heads * slices)},
           .sharedBytes = params.tokens * (stagedBytes(params.kvB.dtype, params.latent) + params.splits * 4)},
          params);
}

void DecodeKernels::attendGrouped(const GroupedAttentionParams &params) const
{
    start(m_attendGrouped,
          {.blocks = {static_cast<unsigned>(params.splits),
                      static_cast<unsigned>(headGroups(params.heads.heads, params.heads.keyHeads)),
                      static_cast<unsigned>(params.tokens)},
           .threads = groupedThreads},
          params);
}

void DecodeKernels::activate(const FeedForwardParams &params) const
{
    constexpr std::int32_t pairs = tileRows / 2; // of rows in a tile
    const DeviceMatrix &m = params.chosen > 0 ? params.expertGate.first : params.gate;
    if (isPacked(m.dtype))
        return m_packed.activate(params);
    const std::int64_t bytes = stagedBytes(m.dtype, params.hidden);
    const std::int32_t fit = tokensThatFit(bytes);
    for (std::int32_t begin = 0; begin < params.tokens; begin += fit) {
        const FeedForwardParams pass = tokensOf(params, begin, fit);
        const std::int64_t tiles = ceilDiv(params.gate.rows, pairs)
            + pass.tokens * params.chosen * ceilDiv(params.expertGate.first.rows, pairs);
        start(kernelFor(m_activate, m.dtype, pass.tokens),
              {.blocks = {blocksFor(tiles)},
               .threads = params.hidden > normalisedColumns ? decodeMaxThreads : decodeThreads,
               .sharedBytes = pass.tokens * bytes},
              pass);
    }
}

void DecodeKernels::join(const FeedForwardParams &params) const
{
    const DeviceMatrix &m = params.chosen > 0 ? params.expertDown.first : params.down;
    if (isPacked(m.dtype))
        return m_packed.join(params);
    const std::int64_t step = 64 / static_cast<std::int64_t>(rowBytes(m.dtype, 1)); // columns
    const std::int64_t columns =
        params.chosen * ceilDiv(params.expertDown.first.columns, step) * step + params.down.columns;
    const std::int64_t bytes = stagedBytes(m.dtype, columns);
    constexpr std::int64_t zeros = 32;
    const std::int32_t fit = tokensThatFit(bytes + zeros);
    for (std::int32_t begin = 0; begin < params.tokens; begin += fit) {
        const FeedForwardParams pass = tokensOf(params, begin, fit);
        start(kernelFor(m_join, m.dtype, pass.tokens),
              {.blocks = {static_cast<unsigned>(ceilDiv(params.hidden, tileRows))},
               .threads = decodeMaxThreads,
               .sharedBytes = pass.tokens * bytes + zeros},
              pass);
    }
}

} // namespace bathyscope::kernels::cuda
