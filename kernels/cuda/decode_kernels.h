// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernels that take one to eight tokens through a layer, by name and with the grids they want. All calls
// enqueue on one stream, or are captured; none waits. On sm_90 and later each kernel starts while the one
// before is ending, and has its first weights on their way before it waits for it.
#pragma once

#include "kernels/cuda/decode_params.h"
#include "kernels/cuda/grouped_params.h"
#include "kernels/cuda/launch.h"
#include "kernels/cuda/packed_kernels.h"
#include "kernels/matrix.h"

#include <array>

namespace bathyscope::kernels::cuda {

class DecodeKernels {
public:
    /// Loads the device code of `info`'s card, which is current. `stream` must outlive this.
    DecodeKernels(const DeviceInfo &info, const Stream &stream);

    void begin(const BeginParams &params, const DecodeStep &step) const;
    /// In as many passes as the shared memory of a block asks for.
    void project(const ProjectParams &params) const;
    void absorb(const AttentionParams &params) const;
    void attend(const AttentionParams &params) const;
    void expand(const AttentionParams &params) const;
    /// All of grouped-query attention between its projections.
    void attendGrouped(const GroupedAttentionParams &params) const;
    /// The choice of experts.
    void route(const RouteParams &params) const;
    /// Gate and up projections; in passes, likewise.
    void activate(const FeedForwardParams &params) const;
    /// Down projections and their sum; in passes, likewise. Follows activate() at once: what route() wrote is
    /// there before this kernel waits.
    void join(const FeedForwardParams &params) const;

    /// Parts that a token's positions are divided into at the most.
    [[nodiscard]] std::int32_t splits(std::int32_t tokens, std::int32_t heads) const;
    /// The same for groups of heads with common keys and values (headGroups()).
    [[nodiscard]] std::int32_t groupedSplits(std::int32_t tokens, std::int32_t groups) const;

private:
    static constexpr std::size_t dtypes = 4;
    using ByType = std::array<std::array<Kernel, 2>, dtypes>; ///< for up to four tokens, and eight
    struct Grid {
        Size3 blocks;
        std::int32_t threads = decodeThreads;
        std::int64_t sharedBytes = 0;
    };

    [[nodiscard]] ByType load(const Module &module, const std::string &name) const;
    /// Of eight tokens or fewer, as many as a block has room for, `bytes` each.
    [[nodiscard]] std::int32_t tokensThatFit(std::int64_t bytes) const;
    /// Blocks of a kernel that take `tiles` in turn.
    [[nodiscard]] unsigned blocksFor(std::int64_t tiles) const;
    template <typename Params>
    void start(const Kernel &kernel, const Grid &grid, const Params &params) const;

    const Stream &m_stream;
    std::int32_t m_multiprocessors;
    std::int32_t m_sharedBytes; ///< of a block at the most
    bool m_overlaps; ///< the card has programmatic dependent launch
    PackedDecodeKernels m_packed;
    Module m_projectModule;
    Module m_absorbModule;
    Module m_attentionModule;
    Module m_groupedModule;
    Module m_expertsModule;
    Kernel m_begin;
    Kernel m_attend;
    Kernel m_attendGrouped;
    ByType m_project;
    ByType m_route;
    std::array<Kernel, dtypes> m_absorb;
    ByType m_expand;
    ByType m_activate;
    ByType m_join;
};

} // namespace bathyscope::kernels::cuda
