// SPDX-License-Identifier: GPL-3.0-or-later
#include "kernels/cuda/packed_kernels.h"

#include "kernels/cuda/images.h"

#include <algorithm>
#include <string>

BATHYSCOPE_DEVICE_IMAGE(any_decode_packed)
BATHYSCOPE_DEVICE_IMAGE(any_widen_packed)

namespace bathyscope::kernels::cuda {

namespace {

constexpr std::int32_t tileRows = 16;
constexpr std::int32_t staticSharedBytes = 20 * 1024; ///< at the most, of what a kernel declares itself
constexpr std::int32_t blocksOfMultiprocessor = 2;

constexpr std::int64_t ceilDiv(std::int64_t a, std::int64_t b)
{
    return (a + b - 1) / b;
}

/// Shared memory of a token's activations, as QuantisedTokens lays them out.
constexpr std::int64_t tokenBytes(std::int64_t columns)
{
    return 2 * (ceilDiv(columns, 128) * 128 + 32) + columns / 32 * 16;
}
constexpr std::int64_t zeroBytes = 256 + 256 / 32 * 16;

/// Sixteen rows of a chunk, as ChunkRing lays them out.
std::int32_t stageBytes(DType dtype)
{
    const std::int64_t chunk = dtype >= DType::Q2_K ? 256 : 128;
    return static_cast<std::int32_t>(
        tileRows * (((static_cast<std::int64_t>(rowBytes(dtype, chunk)) + 30) / 16 | 1) * 16));
}

} // namespace

PackedDecodeKernels::PackedDecodeKernels(const DeviceInfo &info, const Stream &stream)
    : m_stream(stream)
    , m_multiprocessors(info.multiprocessors)
    , m_sharedBytes(info.sharedMemoryPerBlock - staticSharedBytes)
    , m_overlaps(info.major >= 9)
    , m_module(images::any_decode_packed())
    , m_widenModule(images::any_widen_packed())
    , m_embed(m_widenModule.kernel("embed_packed"))
    , m_project(load("packed_project"))
    , m_activate(load("packed_activate"))
    , m_join(load("packed_join"))
{
}

PackedDecodeKernels::BySize PackedDecodeKernels::load(const char *name) const
{
    BySize kernels;
    for (std::size_t i = 0; i < kernels.size(); ++i) {
        constexpr const char *sizes[] = {"_one", "_few", "_many"};
        Kernel &kernel = kernels[i];
        kernel = m_module.kernel((std::string(name) + sizes[i]).c_str());
        kernel.allowSharedMemory(m_sharedBytes);
        kernel.preferSharedMemory();
    }
    return kernels;
}

PackedDecodeKernels::Pass
PackedDecodeKernels::passFor(std::int32_t tokens, std::int32_t columns, std::int64_t tiles,
                             std::initializer_list<const DeviceMatrix *> matrices) const
{
    Pass pass;
    pass.memory.columns = columns;
    for (const DeviceMatrix *matrix : matrices)
        if (matrix->rows > 0)
            pass.memory.stageBytes = std::max(pass.memory.stageBytes, stageBytes(matrix->dtype));
    const std::int64_t one = zeroBytes + tokenBytes(columns);
    const auto ring = [&] {
        return std::int64_t(pass.threads / 32) * pass.memory.stageBytes;
    }; // of one stage
    // Where there are few tiles, more warps share each.
    if (tiles > m_multiprocessors || one + 2 * ring() > m_sharedBytes)
        pass.threads = decodeThreads;
    const std::int64_t room = m_sharedBytes - zeroBytes - 2 * ring();
    pass.tokens = static_cast<std::int32_t>(std::clamp<std::int64_t>(room / tokenBytes(columns), 1, tokens));
    pass.blocks = std::min(tiles, std::int64_t(blocksOfMultiprocessor) * m_multiprocessors);
    const std::int64_t staged = zeroBytes + pass.tokens * tokenBytes(columns);
    // Two blocks on a multiprocessor are better than a longer ring.
    const std::int64_t half =
        (m_sharedBytes + staticSharedBytes) / blocksOfMultiprocessor - staticSharedBytes;
    const bool shares = pass.threads == decodeThreads && staged + 2 * ring() <= half;
    pass.memory.stages = staged + 3 * ring() <= (shares ? half : std::int64_t(m_sharedBytes)) ? 3 : 2;
    pass.sharedBytes = staged + pass.memory.stages * ring();
    return pass;
}

template <typename Params>
void PackedDecodeKernels::start(const BySize &kernels, const Pass &pass, const Params &params) const
{
    launch(kernels[pass.tokens > 4       ? 2
                       : pass.tokens > 1 ? 1
                                         : 0],
           {.grid = {static_cast<unsigned>(pass.blocks)},
            .block = {static_cast<unsigned>(pass.threads)},
            .sharedBytes = static_cast<unsigned>(pass.sharedBytes),
            .programmatic = m_overlaps},
           m_stream, params);
}

void PackedDecodeKernels::embed(const EmbedPackedParams &params, std::int32_t tokens) const
{
    launch(m_embed,
           {.grid = {static_cast<unsigned>(tokens)}, .block = {static_cast<unsigned>(decodeThreads)}},
           m_stream, params);
}

void PackedDecodeKernels::project(const ProjectParams &params) const
{
    const DeviceMatrix &m = params.first;
    const std::int64_t tiles = ceilDiv(m.rows, tileRows) + ceilDiv(params.second.rows, tileRows)
        + ceilDiv(params.third.rows, tileRows);
    for (std::int32_t begin = 0; begin < params.tokens;) {
        const Pass pass =
            passFor(params.tokens - begin, m.columns, tiles, {&params.first, &params.second, &params.third});
        ProjectParams part = params;
        part.tokens = pass.tokens;
        part.x += std::int64_t(begin) * m.columns;
        part.firstOut += std::int64_t(begin) * m.rows;
        part.secondOut += std::int64_t(begin) * params.second.rows;
        part.thirdOut += std::int64_t(begin) * params.third.rows;
        start(m_project, pass, PackedProjectParams{part, pass.memory});
        begin += pass.tokens;
    }
}

void PackedDecodeKernels::activate(const FeedForwardParams &params) const
{
    constexpr std::int32_t pairs = tileRows / 2; // of rows in a tile
    for (std::int32_t begin = 0; begin < params.tokens;) {
        const std::int64_t tiles = ceilDiv(params.gate.rows, pairs)
            + (params.tokens - begin) * params.chosen * ceilDiv(params.expertGate.first.rows, pairs);
        const Pass pass =
            passFor(params.tokens - begin, params.hidden, tiles, {&params.gate, &params.expertGate.first});
        start(m_activate, pass, PackedFeedForwardParams{tokensOf(params, begin, pass.tokens), pass.memory});
        begin += pass.tokens;
    }
}

void PackedDecodeKernels::join(const FeedForwardParams &params) const
{
    const std::int32_t columns = params.chosen * params.expertDown.first.columns + params.down.columns;
    for (std::int32_t begin = 0; begin < params.tokens;) {
        const Pass pass = passFor(params.tokens - begin, columns, ceilDiv(params.hidden, tileRows),
                                  {&params.down, &params.expertDown.first});
        start(m_join, pass, PackedFeedForwardParams{tokensOf(params, begin, pass.tokens), pass.memory});
        begin += pass.tokens;
    }
}

} // namespace bathyscope::kernels::cuda
