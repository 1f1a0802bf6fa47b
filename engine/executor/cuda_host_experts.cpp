// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_host_experts.h"

#include "kernels/cpu/operations.h"

#include <algorithm>
#include <thread>

namespace bathyscope::cuda {

namespace {

/// One core is left to the driver: threads that meet at barriers are as slow as the one that has none.
int threadsOf(int wanted)
{
    return wanted > 0 ? wanted : std::max(1, static_cast<int>(std::thread::hardware_concurrency()) - 1);
}

} // namespace

HostExperts::HostExperts(const Model &model, const ModelWeights &weights, std::int32_t tokens, int threads)
    : m_model(model)
    , m_weights(weights)
    , m_team(threadsOf(threads))
    , m_feedForward(model.config, m_team.size())
{
    const auto n = static_cast<std::size_t>(tokens);
    const auto values = n * static_cast<std::size_t>(model.config.hiddenSize);
    m_feedForward.reserve(tokens);
    m_normed.resize(values);
    const std::size_t choices = n * static_cast<std::size_t>(model.config.moe->numExpertsPerTok);
    for (const Part &part : model.parts) {
        part.device->makeCurrent();
        m_parts.push_back({{},
                           kernels::cuda::AddKernel(part.stream),
                           kernels::cuda::PinnedBuffer(values * sizeof(float)),
                           kernels::cuda::PinnedBuffer(choices * sizeof(ExpertChoice)),
                           kernels::cuda::PinnedBuffer(values * sizeof(float))});
    }
}

void HostExperts::run(const HostExpertsParams &params, const std::function<void()> &meanwhile)
{
    const auto tokens = static_cast<std::size_t>(params.tokens);
    const auto values = tokens * static_cast<std::size_t>(m_model.config.hiddenSize);
    const auto k = static_cast<std::size_t>(m_model.config.moe->numExpertsPerTok);
    const PerPart &part = m_parts[params.part];
    const auto &stream = m_model.parts[params.part].stream;
    kernels::cuda::copyToHost(part.x.as(), params.x, values * sizeof(float), stream);
    kernels::cuda::copyToHost(part.choices.as(), params.choices, tokens * k * sizeof(ExpertChoice), stream);
    part.copied.record(stream.get());
    meanwhile();
    part.copied.synchronize();
    compute(params);
    part.add.add(params.x, part.sums.as<float>(), static_cast<std::int64_t>(values));
}

void HostExperts::compute(const HostExpertsParams &params)
{
    const bool draft = static_cast<std::size_t>(params.layer) == m_weights.layers.size();
    const LayerWeights &layer =
        draft ? m_weights.mtp->layer : m_weights.layers[static_cast<std::size_t>(params.layer)];
    const PerPart &part = m_parts[params.part];
    const std::int64_t hidden = m_model.config.hiddenSize;
    m_feedForward.clear();
    m_feedForward.add(layer.moe->experts,
                      {part.choices.as<ExpertChoice>(),
                       static_cast<std::size_t>(params.tokens * m_model.config.moe->numExpertsPerTok)});
    std::fill_n(part.sums.as<float>(), params.tokens * hidden, 0.0F);
    m_team.run([&](ThreadTeam::Member &member) {
        member.forEach(params.tokens, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t t = begin; t < end; ++t)
                kernels::rmsNorm({.x = part.x.as<float>() + t * hidden,
                                  .weight = layer.postAttentionNorm.data(),
                                  .y = m_normed.data() + t * hidden,
                                  .n = hidden,
                                  .epsilon = static_cast<float>(m_model.config.rmsNormEps)});
        });
        m_feedForward.run(member, m_normed.data(), part.sums.as<float>());
    });
}

} // namespace bathyscope::cuda
