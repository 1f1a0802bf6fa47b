// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/cuda_chunks.h"

#include <algorithm>
#include <climits>

namespace bathyscope::cuda {

Chunks::Chunks(const Model &model, const PrefillOptions &options, HostExperts *hostExperts)
    : m_model(model)
    , m_parts(model.parts.size())
    , m_maxTokens(INT_MAX)
{
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
        model.parts[p].device->makeCurrent();
        m_parts[p].prefill = createPrefill(model, p, options, hostExperts);
        m_maxTokens = std::min(m_maxTokens, m_parts[p].prefill->maxTokens());
    }
    const auto tokens = static_cast<std::size_t>(m_maxTokens);
    const auto k = static_cast<std::size_t>(model.config.moe ? model.config.moe->numExpertsPerTok : 0);
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
        model.parts[p].device->makeCurrent();
        if (p == 0)
            m_parts[p].ids = DeviceBuffer(tokens * sizeof(TokenId));
        m_parts[p].x =
            DeviceBuffer(tokens * static_cast<std::size_t>(model.config.hiddenSize) * sizeof(float));
        m_parts[p].routing = DeviceBuffer(model.parts[p].moeLayers() * tokens * k * sizeof(ExpertChoice));
    }
}

void Chunks::handOn(std::size_t part, std::int32_t tokens)
{
    const Part &from = m_model.parts[part];
    kernels::cuda::copyToPeer(*m_model.parts[part + 1].device, m_parts[part + 1].x.as(), *from.device,
                              m_parts[part].x.as(),
                              static_cast<std::size_t>(tokens)
                                  * static_cast<std::size_t>(m_model.config.hiddenSize) * sizeof(float),
                              from.stream);
    from.stream.synchronize();
}

/// The experts that one part chose; `rows` tokens were traced there, of which the last `needed` count.
void Chunks::readRouting(std::size_t part, std::int32_t rows, std::int32_t needed,
                         std::span<ExpertChoice> routing)
{
    const Part &from = m_model.parts[part];
    const std::size_t layers = from.moeLayers();
    const auto k = static_cast<std::size_t>(m_model.config.moe->numExpertsPerTok);
    const auto traced = static_cast<std::size_t>(rows);
    const auto wanted = static_cast<std::size_t>(needed);
    const std::size_t allLayers = routing.size() / (wanted * k);
    std::vector<ExpertChoice> choices(layers * traced * k);
    from.stream.synchronize();
    m_parts[part].routing.download(choices.data(), choices.size() * sizeof(ExpertChoice));
    for (std::size_t t = 0; t < wanted; ++t)
        for (std::size_t l = 0; l < layers; ++l)
            std::copy_n(choices.data() + (l * traced + traced - wanted + t) * k, k,
                        routing.data()
                            + (t * allLayers + static_cast<std::size_t>(from.firstMoeLayer) + l) * k);
}

void Chunks::run(std::span<const TokenId> tokens, const Cache &cache, std::int32_t firstNeeded,
                 std::span<ExpertChoice> routing)
{
    const auto count = static_cast<std::int32_t>(tokens.size());
    m_model.parts.front().device->makeCurrent();
    m_parts.front().ids.upload(tokens.data(), tokens.size_bytes());
    for (std::size_t p = 0; p < m_parts.size(); ++p) {
        const bool last = p + 1 == m_parts.size();
        m_model.parts[p].device->makeCurrent();
        const PrefillChunk chunk{.ids = p == 0 ? m_parts[p].ids.as<std::int32_t>() : nullptr,
                                 .x = m_parts[p].x.as<float>(),
                                 .tokens = count,
                                 .firstPosition = cache.length(),
                                 .firstNeeded = last ? firstNeeded : 0,
                                 .routing =
                                     routing.empty() ? nullptr : m_parts[p].routing.as<ExpertChoice>()};
        m_parts[p].prefill->run(chunk, cache);
        if (!routing.empty())
            readRouting(p, count - chunk.firstNeeded, count - firstNeeded, routing);
        if (!last)
            handOn(p, count);
    }
}

} // namespace bathyscope::cuda
