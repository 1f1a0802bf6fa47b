// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/memory_plan.h"

#include "engine/executor/layer_split.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

using namespace planning;

std::string gigabytes(std::int64_t bytes)
{
    return fmt::format("{:.1f} GB", double(bytes) / 1e9);
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
        if (placed(least, nothing()))
            return planFor(longest(least, wanted, [this](auto n) { return placed(n, nothing()); }),
                           nothing());
        if (const auto from = hostFrom(least))
            return planFor(least, *from);
        MemoryPlan refused = describe(sizes(wanted, nothing()), overflow(sizes(wanted, nothing()), m_gpus));
        refused.refusal = refusal(refused);
        return refused;
    }

    /// The longest context for which there is room, in steps of 1,024 tokens; 0: none.
    [[nodiscard]] std::int32_t longestContext() const
    {
        const std::int32_t least = std::min(m_model.contextLength, step);
        const auto fits = [this](std::int32_t context) { return hostFrom(context).has_value(); };
        return fits(least) ? longest(least, m_model.contextLength, fits) : 0;
    }

private:
    static constexpr std::int32_t step = 1024;

    /// Where a host begins that has no experts: behind the draft.
    [[nodiscard]] std::int32_t nothing() const
    {
        return static_cast<std::int32_t>(m_model.layers.size()) + 1;
    }

    [[nodiscard]] Sizes sizes(std::int32_t context, std::int32_t hostFrom) const
    {
        return {m_model, m_quantised, context, hostFrom};
    }

    /// Whether there is room on the GPUs.
    [[nodiscard]] bool placed(std::int32_t context, std::int32_t hostFrom) const
    {
        return place(sizes(context, hostFrom), m_gpus).has_value();
    }

    /// The layer from which on experts stay on the host, as late as there is room on the GPUs for those
    /// before. None where GPUs or host have no room.
    [[nodiscard]] std::optional<std::int32_t> hostFrom(std::int32_t context) const
    {
        if (placed(context, nothing()))
            return nothing();
        if (!m_options.hostExperts || !placed(context, 0))
            return std::nullopt;
        const auto from = static_cast<std::int32_t>(lastThat(0, nothing(), [&](std::int64_t layer) {
            return placed(context, static_cast<std::int32_t>(layer));
        }));
        const std::int64_t host = m_devices.devices.front().memory.available; // 0: unknown
        return host == 0 || sizes(context, from).hostBytes() <= host ? std::optional(from) : std::nullopt;
    }

    template <typename Fits>
    [[nodiscard]] std::int32_t longest(std::int32_t least, std::int32_t most, const Fits &fits) const
    {
        if (fits(most))
            return most;
        const auto steps = lastThat(0, most / step, [&](std::int64_t n) {
            return fits(std::max(least, static_cast<std::int32_t>(n) * step));
        });
        return std::max(least, static_cast<std::int32_t>(steps) * step);
    }

    [[nodiscard]] MemoryPlan planFor(std::int32_t context, std::int32_t hostFrom) const
    {
        const Sizes s = sizes(context, hostFrom);
        return describe(s, *place(s, m_gpus));
    }

    [[nodiscard]] MemoryPlan describe(const Sizes &s, Shares shares) const
    {
        MemoryPlan plan;
        plan.shares = std::move(shares);
        plan.contextLength = s.context();
        plan.quantised = m_quantised;
        plan.hostBytes = s.hostBytes();
        if (s.hostLayers() > 0) {
            plan.hostExpertsFrom = s.hostFrom();
            plan.note = fmt::format(
                "The routed experts of the last {} of {} mixture-of-experts layers ({}) stay on the host, "
                "where the CPU computes them: that is slower.",
                s.hostLayers(), sizes(s.context(), 0).hostLayers(), gigabytes(plan.hostBytes));
        }
        if (!plan.hostExpertsFrom && s.context() < m_model.contextLength && m_options.contextLength == 0)
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

/// The GPUs that a device of the options stands for; none where it is not there.
Gpus findGpus(const DeviceList &devices, const std::string &id)
{
    Gpus gpus = gpusOf(devices);
    if (id != "cuda" && id != "auto")
        std::erase_if(gpus, [&id](const DeviceInfo &gpu) { return gpu.id != id; });
    return gpus;
}

/// The same; throws Error where it is not there.
Gpus chosenGpus(const DeviceList &devices, const std::string &id)
{
    Gpus gpus = findGpus(devices, id);
    if (!gpus.empty())
        return gpus;
    std::string known = "\"auto\", \"cpu\"";
    for (const DeviceInfo &gpu : gpusOf(devices))
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
        words.push_back(fmt::format("experts on the host ({})", gigabytes(plan.hostBytes)));
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
    const bool canLeaveExperts = !options.hostExperts
        && std::ranges::any_of(model.layers,
                               [](const ModelMemory::Layer &layer) { return layer.experts > 0; });
    std::vector<unsigned> enough;
    std::vector<MemoryAdvice> advice;
    for (const unsigned changes :
         {unsigned(Context), unsigned(Quantise), unsigned(AllGpus), unsigned(HostExperts), Quantise | Context,
          AllGpus | Context, HostExperts | Context, Quantise | AllGpus, Quantise | HostExperts,
          Quantise | HostExperts | Context}) {
        const bool possible = (canQuantise || !(changes & Quantise)) && (canUseMore || !(changes & AllGpus))
            && (canLeaveExperts || !(changes & HostExperts));
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

MemoryPlan planOnGpus(const ModelMemory &model, const DeviceList &devices, const LocalBackendOptions &options)
{
    MemoryPlan plan = GpuPlanner(model, devices, chosenGpus(devices, options.device), options).plan();
    if (!plan.fits())
        plan.advice = adviceFor(model, devices, options);
    return plan;
}

std::string joined(const std::string &first, const std::string &second)
{
    return first + (first.empty() || second.empty() ? "" : " ") + second;
}

/// GPUs where they can, else the CPU, and why.
MemoryPlan planAutomatically(const ModelMemory &model, const DeviceList &devices,
                             const LocalBackendOptions &options)
{
    MemoryPlan onCpu = planOnCpu(model, devices, options);
    if (gpusOf(devices).empty()) {
        onCpu.note = joined(onCpu.note, devices.noGpu);
        return onCpu;
    }
    MemoryPlan plan = planOnGpus(model, devices, options);
    if (plan.fits())
        return plan;
    onCpu.note = joined(plan.refusal, "The CPU was taken.");
    onCpu.advice = std::move(plan.advice);
    return onCpu;
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
    if (options.device == "cpu")
        return planOnCpu(model, devices, options);
    if (options.device == "auto")
        return planAutomatically(model, devices, options);
    if (options.fallBack && findGpus(devices, options.device).empty()) {
        LocalBackendOptions automatic = options;
        automatic.device = "auto";
        MemoryPlan plan = planAutomatically(model, devices, automatic);
        plan.note = joined(fmt::format("The device {} is not there.", options.device), plan.note);
        return plan;
    }
    return planOnGpus(model, devices, options);
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
