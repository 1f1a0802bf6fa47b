// SPDX-License-Identifier: GPL-3.0-or-later
//
// Which layers go to which GPU.
#pragma once

#include "engine/executor/memory_plan.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace bathyscope::planning {

using Gpus = std::vector<DeviceInfo>;
using Shares = std::vector<DeviceShare>;

/// The last value of [low, high] for which `holds` is true; it must be for `low`, and not again once it is
/// not.
template <typename Predicate>
std::int64_t lastThat(std::int64_t low, std::int64_t high, const Predicate &holds)
{
    while (low < high) {
        const std::int64_t middle = low + (high - low + 1) / 2;
        if (holds(middle))
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

/// A model with the choices that its size depends on.
class Sizes {
public:
    /// Layers from `hostFrom` on leave their routed experts on the host; the draft comes after the last.
    Sizes(const ModelMemory &model, bool quantised, std::int32_t context, std::int32_t hostFrom)
        : m_model(model)
        , m_quantised(quantised)
        , m_context(context)
        , m_hostFrom(hostFrom)
    {
    }

    [[nodiscard]] std::int32_t layers() const { return static_cast<std::int32_t>(m_model.layers.size()); }
    [[nodiscard]] std::int32_t context() const { return m_context; }
    [[nodiscard]] std::int32_t hostFrom() const { return m_hostFrom; }
    [[nodiscard]] std::int64_t workspace() const { return m_model.workspace; }

    /// Of layer i on a device whose layers begin with `first`. What lies before the first and behind the last
    /// layer belongs to these.
    [[nodiscard]] std::int64_t weights(std::int32_t i, std::int32_t first) const
    {
        std::int64_t sum = weightsOf(m_model.layers[static_cast<std::size_t>(i)], i);
        if (i == 0)
            sum += bytes(m_model.embedding);
        if (i + 1 < layers())
            return sum;
        const bool headIsThere = m_model.tiedHead && first == 0;
        return sum + (headIsThere ? 0 : bytes(m_model.head))
            + (m_model.draft ? weightsOf(*m_model.draft, layers()) : 0);
    }

    [[nodiscard]] std::int64_t cache(std::int32_t i) const
    {
        const std::int64_t layer = m_model.cacheWidth * gpuCacheValueBytes * m_context;
        return m_model.draft && i + 1 == layers() ? 2 * layer : layer;
    }

    /// Layers whose experts stay on the host.
    [[nodiscard]] std::int32_t hostLayers() const
    {
        std::int32_t count = 0;
        forHostLayers([&count](const ModelMemory::Layer &layer) { count += layer.experts > 0 ? 1 : 0; });
        return count;
    }

    /// Weights of the experts that stay on the host.
    [[nodiscard]] std::int64_t hostBytes() const
    {
        std::int64_t sum = 0;
        forHostLayers(
            [&sum](const ModelMemory::Layer &layer) { sum += layer.experts * layer.expert.stored; });
        return sum;
    }

private:
    [[nodiscard]] std::int64_t bytes(const ModelMemory::Weights &w) const
    {
        return m_quantised ? w.quantised : w.stored;
    }

    [[nodiscard]] std::int64_t weightsOf(const ModelMemory::Layer &layer, std::int32_t index) const
    {
        return bytes(layer.fixed) + (index < m_hostFrom ? layer.experts * bytes(layer.expert) : 0);
    }

    template <typename Work>
    void forHostLayers(const Work &work) const
    {
        for (std::int32_t i = m_hostFrom; i < layers(); ++i)
            work(m_model.layers[static_cast<std::size_t>(i)]);
        if (m_model.draft && m_hostFrom <= layers())
            work(*m_model.draft);
    }

    const ModelMemory &m_model;
    bool m_quantised;
    std::int32_t m_context;
    std::int32_t m_hostFrom;
};

/// Layers over as few devices as it takes, since more would not make one token faster; of these all are
/// equally full. Nothing where there is no room.
std::optional<Shares> place(const Sizes &sizes, const Gpus &gpus);

/// What a model would take of devices that have no room for it: all layers by their share of the memory.
Shares overflow(const Sizes &sizes, Gpus gpus);

} // namespace bathyscope::planning
