// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "storage/platform_lock.h"

#include "storage/history_types.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace bathyscope::storage {

InstanceLock::InstanceLock(const std::filesystem::path &file)
{
    const int handle = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (handle < 0)
        throw MediumError(fmt::format("{}: expected a lock file that can be written, found: {}",
                                      file.string(), std::generic_category().message(errno)));
    // flock belongs to the open file, not to the process: a second History in the same program is refused,
    // too.
    if (::flock(handle, LOCK_EX | LOCK_NB) != 0) {
        const int reason = errno;
        ::close(handle);
        if (reason == EWOULDBLOCK)
            throw ProfileInUse(
                fmt::format("{}: this history is in use by another Bathyscope. Close that one, or start with "
                            "another profile.",
                            file.parent_path().string()));
        throw MediumError(
            fmt::format("{}: cannot be locked: {}", file.string(), std::generic_category().message(reason)));
    }
    m_handle = handle;
}

InstanceLock::~InstanceLock()
{
    ::close(static_cast<int>(m_handle));
}

} // namespace bathyscope::storage

#endif
