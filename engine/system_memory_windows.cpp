// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "engine/system_memory.h"

#include <windows.h>

namespace bathyscope {

DeviceMemory systemMemory()
{
    MEMORYSTATUSEX status = {};
    status.dwLength = sizeof status;
    DeviceMemory memory;
    if (::GlobalMemoryStatusEx(&status)) {
        memory.total = static_cast<std::int64_t>(status.ullTotalPhys);
        memory.available = static_cast<std::int64_t>(status.ullAvailPhys);
    }
    return memory;
}

} // namespace bathyscope

#endif
