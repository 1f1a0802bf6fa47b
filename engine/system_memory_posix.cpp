// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "engine/system_memory.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace bathyscope {

namespace {

/// A number in a file that holds nothing else; 0 when there is none ("max").
std::int64_t numberIn(const char *path)
{
    std::ifstream file(path);
    std::int64_t value = 0;
    return file >> value ? value : 0;
}

} // namespace

DeviceMemory systemMemory()
{
    DeviceMemory memory;
    std::ifstream info("/proc/meminfo");
    std::string key;
    std::string rest;
    for (std::int64_t kibibytes = 0; info >> key >> kibibytes && std::getline(info, rest);) {
        if (key == "MemTotal:")
            memory.total = kibibytes * 1024;
        else if (key == "MemAvailable:")
            memory.available = kibibytes * 1024;
    }
    // A container is often allowed less than the machine has (cgroup v2).
    if (const std::int64_t limit = numberIn("/sys/fs/cgroup/memory.max"); limit > 0 && limit < memory.total) {
        memory.total = limit;
        const std::int64_t left = limit - numberIn("/sys/fs/cgroup/memory.current");
        memory.available = std::clamp<std::int64_t>(left, 0, memory.available);
    }
    return memory;
}

} // namespace bathyscope

#endif
