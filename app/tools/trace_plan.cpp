// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/arguments.h"
#include "app/tools/builtin_model.h"
#include "app/tools/tool_io.h"
#include "app/tools/trace_commands.h"
#include "engine/error.h"
#include "engine/executor/devices.h"
#include "engine/executor/memory_plan.h"
#include "engine/session/model_files.h"

#include <fmt/format.h>

namespace bathyscope::app {

namespace {

std::string gigabytes(std::int64_t bytes)
{
    return fmt::format("{:.2f} GB", double(bytes) / 1e9);
}

void printDevices(const DeviceList &list)
{
    for (const DeviceInfo &device : list.devices)
        fmt::print("{:<8}  {:<28}  {:>10} free of {:>10}\n", device.id, device.name,
                   gigabytes(device.memory.available), gigabytes(device.memory.total));
    if (!list.noGpu.empty())
        fmt::print("{}\n", list.noGpu);
}

void printPlan(const MemoryPlan &plan)
{
    fmt::print("\n{:<8}  {:>8}  {:>10}  {:>10}  {:>10}  {:>10}\n", "device", "layers", "weights", "cache",
               "workspace", "together");
    for (const DeviceShare &share : plan.shares)
        fmt::print("{:<8}  {:>8}  {:>10}  {:>10}  {:>10}  {:>10}\n", share.device.id,
                   fmt::format("{}-{}", share.firstLayer, share.firstLayer + share.layers - 1),
                   gigabytes(share.weights), gigabytes(share.cache), gigabytes(share.workspace),
                   gigabytes(share.needed()));
    fmt::print("\ncontext   {} tokens\n", plan.contextLength);
    if (!plan.note.empty())
        fmt::print("{}\n", plan.note);
    if (!plan.fits())
        fmt::print("{}\n", plan.refusal);
    for (const MemoryAdvice &advice : plan.advice)
        fmt::print("would fit: {}\n", advice.text);
}

} // namespace

int tracePlan(const std::vector<std::string> &words)
{
    const Arguments arguments(words, withBackendOptions({"--model"}), withBackendFlags({}));
    const std::filesystem::path directory =
        arguments.value("--model") ? fromUtf8(arguments.require("--model")) : requireBuiltinModel();
    const WeightFiles model = openWeightFiles(directory);
    const DeviceList devices = listDevices();
    printDevices(devices);
    const MemoryPlan plan = planMemory(measureMemory(model.config, bindWeights(model.config, *model.weights)),
                                       devices, backendOptions(arguments));
    printPlan(plan);
    return plan.fits() ? 0 : 1;
}

} // namespace bathyscope::app
