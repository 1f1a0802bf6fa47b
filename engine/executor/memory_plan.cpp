// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/memory_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace bathyscope {

namespace {

using Gpus = std::vector<DeviceInfo>;
using Shares = std::vector<DeviceShare>;

std::string gigabytes(std::int64_t bytes)
{
    return fmt::format("{:.1f} GB", double(bytes) / 1e9);
}

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
    Sizes(const ModelMemory &model, bool quantised, std::int32_t context, std::int32_t hostExperts)
        : m_model(model)
        , m_quantised(quantised)
        , m_context(context)
        , m_hostExperts(hostExperts)
    {
    }

    [[nodiscard]] std::int32_t layers() const { return static_cast<std::int32_t>(m_model.layers.size()); }
    [[nodiscard]] std::int32_t context() const { return m_context; }
    [[nodiscard]] std::int32_t hostExperts() const { return m_hostExperts; }
    [[nodiscard]] std::int64_t workspace() const { return m_model.workspace; }

    /// Of layer i on a device whose layers begin with `first`. What lies before the first and behind the last
    /// layer belongs to these.
    [[nodiscard]] std::int64_t weights(std::int32_t i, std::int32_t first) const
    {
        std::int64_t sum = weightsOf(m_model.layers[static_cast<std::size_t>(i)]);
        if (i == 0)
            sum += bytes(m_model.embedding);
        if (i + 1 < layers())
            return sum;
        const bool headIsThere = m_model.tiedHead && first == 0;
        return sum + (headIsThere ? 0 : bytes(m_model.head))
            + (m_model.draft ? weightsOf(*m_model.draft) : 0);
    }

    [[nodiscard]] std::int64_t cache(std::int32_t i) const
    {
        const std::int64_t layer = m_model.cacheWidth * gpuCacheValueBytes * m_context;
        return m_model.draft && i + 1 == layers() ? 2 * layer : layer;
    }

    /// Weights of the experts that stay on the host.
    [[nodiscard]] std::int64_t hostBytes() const
    {
        std::int64_t sum = 0;
        for (const ModelMemory::Layer &layer : m_model.layers)
            sum += std::min(layer.experts, m_hostExperts) * layer.expert.stored;
        return sum
            + (m_model.draft ? std::min(m_model.draft->experts, m_hostExperts) * m_model.draft->expert.stored
                             : 0);
    }

private:
    [[nodiscard]] std::int64_t bytes(const ModelMemory::Weights &w) const
    {
        return m_quantised ? w.quantised : w.stored;
    }

    [[nodiscard]] std::int64_t weightsOf(const ModelMemory::Layer &layer) const
    {
        return bytes(layer.fixed) + std::max(layer.experts - m_hostExperts, 0) * bytes(layer.expert);
    }

    const ModelMemory &m_model;
    bool m_quantised;
    std::int32_t m_context;
    std::int32_t m_hostExperts;
};

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

/// Over as few devices as it takes: more would not make one token faster.
std::optional<Shares> place(const Sizes &sizes, const Gpus &gpus)
{
    for (std::size_t count = 1; count <= gpus.size(); ++count) {
        if (auto shares = balance(sizes, roomiest(gpus, count)))
            return shares;
    }
    return std::nullopt;
}

/// What a model would take of devices that have no room for it: all layers by their share of the memory.
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

/// Plans for a choice of GPUs.
class GpuPlanner {
public:
    GpuPlanner(const ModelMemory &model, const DeviceList &devices, Gpus gpus,
               const LocalBackendOptions &options)
        : m_model(model)
        , m_devices(devices)
        , m_gpus(std::move(gpus))
        , m_options(options)
        , m_quantised(options.quantise && model.weightBytes(true) < model.weightBytes(false))
    {
    }

    /// Without advice.
    [[nodiscard]] MemoryPlan plan() const
    {
        const std::int32_t most = m_model.contextLength;
        const std::int32_t wanted =
            m_options.contextLength > 0 ? std::min(m_options.contextLength, most) : most;
        const std::int32_t least = m_options.contextLength > 0 ? wanted : std::min(most, leastChosenContext);
        if (place(sizes(least, 0), m_gpus))
            return planFor(longest(least, wanted, 0), 0);
        const std::int32_t experts = expertsOfALayer();
        if (m_options.hostExperts && fitsWith(least, experts))
            return planFor(least, fewestHostExperts(least, experts));
        MemoryPlan refused = describe(sizes(wanted, 0), overflow(sizes(wanted, 0), m_gpus));
        refused.refusal = refusal(refused);
        return refused;
    }

    /// The longest context for which there is room, in steps of 1,024 tokens; 0: none.
    [[nodiscard]] std::int32_t longestContext() const
    {
        const std::int32_t hostExperts = m_options.hostExperts ? expertsOfALayer() : 0;
        const std::int32_t least = std::min(m_model.contextLength, step);
        if (!fitsWith(least, hostExperts))
            return 0;
        return longest(least, m_model.contextLength, hostExperts);
    }

private:
    static constexpr std::int32_t step = 1024;

    [[nodiscard]] Sizes sizes(std::int32_t context, std::int32_t hostExperts) const
    {
        return {m_model, m_quantised, context, hostExperts};
    }

    [[nodiscard]] std::int32_t expertsOfALayer() const
    {
        std::int32_t experts = 0;
        for (const ModelMemory::Layer &layer : m_model.layers)
            experts = std::max(experts, layer.experts);
        return experts;
    }

    /// Whether there is room on the GPUs, and on the host for the experts that stay there.
    [[nodiscard]] bool fitsWith(std::int32_t context, std::int32_t hostExperts) const
    {
        const Sizes s = sizes(context, hostExperts);
        const std::int64_t host = m_devices.devices.front().memory.available; // 0: unknown
        return (host == 0 || hostExperts == 0 || s.hostBytes() <= host) && place(s, m_gpus);
    }

    [[nodiscard]] std::int32_t longest(std::int32_t least, std::int32_t most, std::int32_t hostExperts) const
    {
        if (fitsWith(most, hostExperts))
            return most;
        const auto steps = lastThat(0, most / step, [&](std::int64_t n) {
            return fitsWith(std::max(least, static_cast<std::int32_t>(n) * step), hostExperts);
        });
        return std::max(least, static_cast<std::int32_t>(steps) * step);
    }

    [[nodiscard]] std::int32_t fewestHostExperts(std::int32_t context, std::int32_t experts) const
    {
        const auto spared = lastThat(0, experts, [&](std::int64_t n) {
            return place(sizes(context, experts - static_cast<std::int32_t>(n)), m_gpus).has_value();
        });
        return experts - static_cast<std::int32_t>(spared);
    }

    [[nodiscard]] MemoryPlan planFor(std::int32_t context, std::int32_t hostExperts) const
    {
        const Sizes s = sizes(context, hostExperts);
        return describe(s, *place(s, m_gpus));
    }

    [[nodiscard]] MemoryPlan describe(const Sizes &s, Shares shares) const
    {
        MemoryPlan plan;
        plan.shares = std::move(shares);
        plan.contextLength = s.context();
        plan.quantised = m_quantised;
        plan.hostExperts = s.hostExperts();
        plan.hostBytes = s.hostBytes();
        if (plan.hostExperts > 0)
            plan.note =
                fmt::format("{} of {} experts of each layer ({}) stay on the host and are computed by "
                            "the CPU.",
                            plan.hostExperts, expertsOfALayer(), gigabytes(plan.hostBytes));
        else if (s.context() < m_model.contextLength && m_options.contextLength == 0)
            plan.note = fmt::format("The context is as long as the memory allows; the model's own is {}.",
                                    m_model.contextLength);
        return plan;
    }

    [[nodiscard]] std::string refusal(const MemoryPlan &plan) const
    {
        DeviceShare sum;
        std::int64_t free = 0;
        for (const DeviceShare &share : plan.shares) {
            sum.weights += share.weights;
            sum.cache += share.cache;
            sum.workspace += share.workspace;
            free += share.device.memory.available;
        }
        const std::string where = plan.shares.size() == 1 ? plan.shares.front().device.name
                                                          : fmt::format("{} GPUs", plan.shares.size());
        return fmt::format("The model needs {} on {}, where {} are free: weights {}, cache for {} tokens {}, "
                           "workspace {}.",
                           gigabytes(sum.needed()), where, gigabytes(free), gigabytes(sum.weights),
                           plan.contextLength, gigabytes(sum.cache), gigabytes(sum.workspace));
    }

    const ModelMemory &m_model;
    const DeviceList &m_devices;
    Gpus m_gpus;
    LocalBackendOptions m_options;
    bool m_quantised;
};

Gpus gpusOf(const DeviceList &devices)
{
    Gpus gpus = devices.devices;
    std::erase_if(gpus, [](const DeviceInfo &device) { return device.id == "cpu"; });
    return gpus;
}

/// The GPUs that a device of the options stands for. Throws Error where it is not there.
Gpus chosenGpus(const DeviceList &devices, const std::string &id)
{
    Gpus gpus = gpusOf(devices);
    if (id == "cuda" || id == "auto") {
        if (!gpus.empty())
            return gpus;
    } else if (const auto found = std::ranges::find(gpus, id, &DeviceInfo::id); found != gpus.end()) {
        return {*found};
    }
    std::string known = "\"auto\", \"cpu\"";
    for (const DeviceInfo &gpu : gpus)
        known += fmt::format(", \"{}\"", gpu.id);
    const std::string why = devices.noGpu.empty() ? "" : " (" + devices.noGpu + ")";
    throw Error(fmt::format("device: expected {}, found \"{}\"{}", known, id, why));
}

/// One change of the options that may make a model fit.
enum Change : unsigned { Quantise = 1, AllGpus = 2, HostExperts = 4, Context = 8 };

/// The options with the changes, and their names; nothing where the model does not fit then either.
std::optional<MemoryAdvice> advise(const ModelMemory &model, const DeviceList &devices,
                                   const LocalBackendOptions &options, unsigned changes)
{
    MemoryAdvice advice{{}, options};
    LocalBackendOptions &o = advice.options;
    o.quantise = o.quantise || (changes & Quantise);
    o.hostExperts = o.hostExperts || (changes & HostExperts);
    if (changes & AllGpus)
        o.device = "cuda";
    const Gpus gpus = chosenGpus(devices, o.device);
    if (changes & Context)
        o.contextLength = GpuPlanner(model, devices, gpus, o).longestContext();
    if ((changes & Context) && o.contextLength == 0)
        return std::nullopt;
    const MemoryPlan plan = GpuPlanner(model, devices, gpus, o).plan();
    if (!plan.fits())
        return std::nullopt;
    std::vector<std::string> words;
    if (changes & AllGpus)
        words.push_back(fmt::format("{} GPUs", plan.shares.size()));
    if (changes & Quantise)
        words.push_back(fmt::format("weights as FP8 ({})", gigabytes(model.weightBytes(true))));
    if (changes & HostExperts)
        words.push_back(fmt::format("{} experts of each layer on the host", plan.hostExperts));
    if (changes & Context)
        words.push_back(fmt::format("a context of {} tokens", o.contextLength));
    advice.text = fmt::format("{}", fmt::join(words, ", "));
    return advice;
}

/// Single changes first; changes that contain others which are enough are left out.
std::vector<MemoryAdvice> adviceFor(const ModelMemory &model, const DeviceList &devices,
                                    const LocalBackendOptions &options)
{
    const bool canQuantise = !options.quantise && model.weightBytes(true) < model.weightBytes(false);
    const bool canUseMore =
        options.device != "cuda" && options.device != "auto" && gpusOf(devices).size() > 1;
    std::vector<unsigned> enough;
    std::vector<MemoryAdvice> advice;
    for (const unsigned changes :
         {unsigned(Context), unsigned(Quantise), unsigned(AllGpus), unsigned(HostExperts), Quantise | Context,
          AllGpus | Context, HostExperts | Context, Quantise | AllGpus, Quantise | HostExperts,
          Quantise | HostExperts | Context}) {
        const bool possible = (canQuantise || !(changes & Quantise)) && (canUseMore || !(changes & AllGpus))
            && (!options.hostExperts || !(changes & HostExperts));
        const bool needed =
            std::ranges::none_of(enough, [changes](unsigned fewer) { return (changes & fewer) == fewer; });
        if (!possible || !needed)
            continue;
        if (auto found = advise(model, devices, options, changes)) {
            enough.push_back(changes);
            advice.push_back(std::move(*found));
        }
    }
    return advice;
}

MemoryPlan planOnCpu(const ModelMemory &model, const DeviceList &devices, const LocalBackendOptions &options)
{
    MemoryPlan plan;
    plan.contextLength = options.contextLength > 0 ? std::min(options.contextLength, model.contextLength)
                                                   : model.contextLength;
    const auto layers = static_cast<std::int64_t>(model.layers.size()) + (model.draft ? 1 : 0);
    plan.shares = {{.device = devices.devices.front(),
                    .firstLayer = 0,
                    .layers = static_cast<std::int32_t>(model.layers.size()),
                    .weights = model.weightBytes(false),
                    .cache = layers * model.cacheWidth * cpuCacheValueBytes * plan.contextLength,
                    .workspace = 0}};
    // Weights are mapped and the cache takes memory as it fills: nothing is refused, but it may get slow.
    const std::int64_t free = devices.devices.front().memory.available;
    if (free > 0 && plan.shares.front().weights > free)
        plan.note =
            fmt::format("The weights ({}) are larger than the free memory ({}): parts of them will be "
                        "read from the disk again and again.",
                        gigabytes(plan.shares.front().weights), gigabytes(free));
    return plan;
}

std::string refusalWithAdvice(const MemoryPlan &plan)
{
    if (plan.advice.empty())
        return plan.refusal;
    std::vector<std::string> texts;
    for (const MemoryAdvice &advice : plan.advice)
        texts.push_back(advice.text);
    return fmt::format("{} What would fit: {}.", plan.refusal, fmt::join(texts, "; or "));
}

} // namespace

MemoryPlan planMemory(const ModelMemory &model, const DeviceList &all, const LocalBackendOptions &options)
{
    DeviceList devices = all;
    if (!model.gpuObstacle.empty() && devices.devices.size() > 1)
        devices = {{all.devices.front()}, fmt::format("No GPU: {}.", model.gpuObstacle)};
    const bool automatic = options.device == "auto";
    if (options.device == "cpu")
        return planOnCpu(model, devices, options);
    if (automatic && gpusOf(devices).empty()) {
        MemoryPlan plan = planOnCpu(model, devices, options);
        plan.note = plan.note.empty() ? devices.noGpu : plan.note + " " + devices.noGpu;
        return plan;
    }
    MemoryPlan plan = GpuPlanner(model, devices, chosenGpus(devices, options.device), options).plan();
    if (plan.fits())
        return plan;
    plan.advice = adviceFor(model, devices, options);
    if (!automatic)
        return plan;
    MemoryPlan onCpu = planOnCpu(model, devices, options);
    onCpu.note = plan.refusal + " The CPU was taken.";
    onCpu.advice = std::move(plan.advice);
    return onCpu;
}

DeviceList withoutModel(DeviceList devices, const MemoryPlan &plan)
{
    for (const DeviceShare &share : plan.shares) {
        for (DeviceInfo &device : devices.devices) {
            if (device.id == share.device.id && device.id != "cpu")
                device.memory.available =
                    std::min(device.memory.total, device.memory.available + share.needed());
        }
    }
    return devices;
}

DoesNotFit::DoesNotFit(const MemoryPlan &plan, std::shared_ptr<const ModelMemory> needs)
    : Error(refusalWithAdvice(plan))
    , m_needs(std::move(needs))
{
}

} // namespace bathyscope
