// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/devices.h"

#include "engine/system_memory.h"
#ifdef BATHYSCOPE_HAS_CUDA
#include "kernels/cuda/driver.h"
#endif

#include <fmt/format.h>

namespace bathyscope {

namespace {

#ifdef BATHYSCOPE_HAS_CUDA

/// Adds the NVIDIA cards that device code runs on; the reason where there are none.
std::string addGpus(std::vector<DeviceInfo> &devices)
{
    constexpr int leastMajor = 8; // compute capability
    std::string why;
    for (const kernels::cuda::DeviceInfo &card : kernels::cuda::listDevices(&why)) {
        if (card.major < leastMajor) {
            why = fmt::format("{} has compute capability {}.{}, and 8.0 is needed", card.name, card.major,
                              card.minor);
            continue;
        }
        const DeviceMemory memory{static_cast<std::int64_t>(card.totalMemory),
                                  static_cast<std::int64_t>(card.freeMemory)};
        devices.push_back({fmt::format("cuda:{}", card.ordinal), card.name, memory});
    }
    return devices.size() > 1 ? "" : fmt::format("No GPU: {}.", why);
}

#else

std::string addGpus(std::vector<DeviceInfo> &)
{
    return "No GPU: this program was built without device code (nvcc was missing).";
}

#endif

} // namespace

DeviceList listDevices()
{
    DeviceList list{{{"cpu", "CPU", systemMemory()}}, {}};
    list.noGpu = addGpus(list.devices);
    return list;
}

} // namespace bathyscope
