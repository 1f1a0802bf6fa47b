// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/gpu_shapes.h"

#include "kernels/cuda/grouped_params.h"

#include <fmt/format.h>

namespace bathyscope {

namespace {

using namespace kernels::cuda;

// Of the kernels for chunks.
constexpr std::int32_t mostKeyValues = 192;
constexpr std::int32_t mostValues = 128;
constexpr std::int32_t mostHidden = 8192;
constexpr std::int32_t mostGroups = 32;

std::string obstacleOf(const MlaConfig &m)
{
    if (m.qkHeadDim() > mostKeyValues || m.vHeadDim > mostValues || m.qkNopeHeadDim % 8 != 0
        || m.vHeadDim % 8 != 0)
        return fmt::format("qk_nope_head_dim {}, qk_rope_head_dim {}, v_head_dim {}", m.qkNopeHeadDim,
                           m.qkRopeHeadDim, m.vHeadDim);
    if (m.kvLoraRank % 16 != 0 || m.kvLoraRank > decodeMaxLatent || m.qkRopeHeadDim % 16 != 0
        || m.qkRopeHeadDim > decodeMaxRope || m.cacheWidth() > decodeMaxWidth)
        return fmt::format("qk_rope_head_dim {}, kv_lora_rank {}", m.qkRopeHeadDim, m.kvLoraRank);
    if (m.qLoraRank > mostHidden || m.qLoraRank % 8 != 0)
        return fmt::format("q_lora_rank {}", m.qLoraRank);
    return {};
}

std::string obstacleOf(const GqaConfig &g)
{
    return g.headDim % 8 != 0 || g.headDim > groupedMaxHead ? fmt::format("head_dim {}", g.headDim) : "";
}

std::string obstacleOf(const MoeConfig &m)
{
    if (m.nRoutedExperts > decodeMaxExperts || m.numExpertsPerTok > decodeMaxChosen || m.nGroup > mostGroups)
        return fmt::format("{} experts in {} groups, {} chosen", m.nRoutedExperts, m.nGroup,
                           m.numExpertsPerTok);
    return {};
}

} // namespace

std::string gpuObstacle(const ModelConfig &c)
{
    std::string shape = std::visit([](const auto &attention) { return obstacleOf(attention); }, c.attention);
    if (shape.empty() && (c.hiddenSize > mostHidden || c.hiddenSize % 16 != 0))
        shape = fmt::format("hidden_size {}", c.hiddenSize);
    if (shape.empty() && c.moe)
        shape = obstacleOf(*c.moe);
    return shape.empty() ? "" : "the GPU's kernels do not have this shape: " + shape;
}

} // namespace bathyscope
