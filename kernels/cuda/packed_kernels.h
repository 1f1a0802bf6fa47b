// SPDX-License-Identifier: GPL-3.0-or-later
//
// The kernels that read GGUF's packed types, by name and with the grids they want. All calls enqueue on one
// stream, or are captured; none waits.
#pragma once

#include "kernels/cuda/launch.h"
#include "kernels/cuda/packed_params.h"

#include <array>
#include <initializer_list>

namespace bathyscope::kernels::cuda {

/// Products of a decoding step, as those of DecodeKernels.
class PackedDecodeKernels {
public:
    /// Loads the device code of `info`'s card, which is current. `stream` must outlive this.
    PackedDecodeKernels(const DeviceInfo &info, const Stream &stream);

    void embed(const EmbedPackedParams &params, std::int32_t tokens) const;
    void project(const ProjectParams &params) const;
    void activate(const FeedForwardParams &params) const;
    void join(const FeedForwardParams &params) const;

private:
    using BySize = std::array<Kernel, 3>; ///< for one token, up to four, and eight
    /// A pass over some of the tokens.
    struct Pass {
        std::int32_t tokens = 0;
        std::int32_t threads = decodeMaxThreads;
        std::int64_t blocks = 0;
        PackedMemory memory;
        std::int64_t sharedBytes = 0;
    };

    [[nodiscard]] BySize load(const char *name) const;
    /// As many tokens with `columns` activations each as a block has room for.
    [[nodiscard]] Pass passFor(std::int32_t tokens, std::int32_t columns, std::int64_t tiles,
                               std::initializer_list<const DeviceMatrix *> matrices) const;
    template <typename Params>
    void start(const BySize &kernels, const Pass &pass, const Params &params) const;

    const Stream &m_stream;
    std::int32_t m_multiprocessors;
    std::int32_t m_sharedBytes; ///< dynamic, of a block at the most
    bool m_overlaps; ///< the card has programmatic dependent launch
    Module m_module;
    Module m_widenModule;
    Kernel m_embed;
    BySize m_project;
    BySize m_activate;
    BySize m_join;
};

} // namespace bathyscope::kernels::cuda
