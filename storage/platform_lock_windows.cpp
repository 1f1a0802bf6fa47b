// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "storage/platform_lock.h"

#include "storage/files.h"
#include "storage/history_types.h"

#include <fmt/format.h>

#include <system_error>

#include <windows.h>

namespace bathyscope::storage {

InstanceLock::InstanceLock(const std::filesystem::path &file)
{
    // Open without sharing: nobody else can open it, not even the same program, until it is closed.
    HANDLE handle = ::CreateFileW(file.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_ALWAYS,
                                  FILE_ATTRIBUTE_NORMAL, nullptr);
    if (handle == INVALID_HANDLE_VALUE) {
        const DWORD reason = ::GetLastError();
        if (reason == ERROR_SHARING_VIOLATION)
            throw ProfileInUse(
                fmt::format("{}: this history is in use by another Bathyscope. Close that one, or start with "
                            "another profile.",
                            utf8Name(file.parent_path())));
        throw MediumError(fmt::format("{}: expected a lock file that can be written, found: {}",
                                      utf8Name(file),
                                      std::system_category().message(static_cast<int>(reason))));
    }
    m_handle = reinterpret_cast<std::intptr_t>(handle);
}

InstanceLock::~InstanceLock()
{
    ::CloseHandle(reinterpret_cast<HANDLE>(m_handle));
}

} // namespace bathyscope::storage

#endif
