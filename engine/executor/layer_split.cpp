// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/layer_split.h"

#include <numeric>

namespace bathyscope::planning {

namespace {

/// Layers in order onto the devices, each filled up to a part of its memory; the last takes all that is left.
/// Nothing where even that is too much for it.
std::optional<Shares> fill(const Sizes &sizes, const Gpus &gpus, double part)
{
    Shares shares;
    std::int32_t next = 0;
    for (const DeviceInfo &gpu : gpus) {
        DeviceShare share{.device = gpu, .firstLayer = next, .workspace = sizes.workspace()};
        const auto room = static_cast<std::int64_t>(part * double(gpu.memory.available));
        // A layer for each of the devices after this one.
        const std::int32_t end = sizes.layers() - static_cast<std::int32_t>(gpus.size() - shares.size() - 1);
        for (; next < end; ++next, ++share.layers) {
            const std::int64_t weights = sizes.weights(next, share.firstLayer);
            if (share.needed() + weights + sizes.cache(next) > room)
                break;
            share.weights += weights;
            share.cache += sizes.cache(next);
        }
        if (share.layers == 0)
            return std::nullopt;
        shares.push_back(share);
    }
    return next == sizes.layers() ? std::optional(std::move(shares)) : std::nullopt;
}

/// All devices equally full, as far as layers allow.
std::optional<Shares> balance(const Sizes &sizes, const Gpus &gpus)
{
    if (static_cast<std::int32_t>(gpus.size()) > sizes.layers() || !fill(sizes, gpus, 1))
        return std::nullopt;
    constexpr int steps = 1000;
    const auto spared = lastThat(0, steps - 1, [&](std::int64_t step) {
        return fill(sizes, gpus, 1 - double(step) / steps).has_value();
    });
    return fill(sizes, gpus, 1 - double(spared) / steps);
}

/// The `count` devices with most memory, in the order of their numbers.
Gpus roomiest(const Gpus &gpus, std::size_t count)
{
    std::vector<std::size_t> order(gpus.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return gpus[a].memory.available > gpus[b].memory.available;
    });
    order.resize(count);
    std::sort(order.begin(), order.end());
    Gpus chosen;
    for (const std::size_t i : order)
        chosen.push_back(gpus[i]);
    return chosen;
}

} // namespace

std::optional<Shares> place(const Sizes &sizes, const Gpus &gpus)
{
    for (std::size_t count = 1; count <= gpus.size(); ++count) {
        if (auto shares = balance(sizes, roomiest(gpus, count)))
            return shares;
    }
    return std::nullopt;
}

Shares overflow(const Sizes &sizes, Gpus gpus)
{
    gpus.resize(std::min<std::size_t>(gpus.size(), static_cast<std::size_t>(sizes.layers())));
    Gpus larger = gpus;
    for (int factor = 2;; factor *= 2) {
        for (std::size_t i = 0; i < gpus.size(); ++i)
            larger[i].memory.available = (gpus[i].memory.available + sizes.workspace()) * factor;
        if (auto shares = balance(sizes, larger)) {
            for (std::size_t i = 0; i < gpus.size(); ++i)
                (*shares)[i].device = gpus[i];
            return *shares;
        }
    }
}

} // namespace bathyscope::planning
