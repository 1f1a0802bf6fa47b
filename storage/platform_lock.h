// SPDX-License-Identifier: GPL-3.0-or-later
//
// One instance of the program for each profile. One .cpp file for each kind of system.
#pragma once

#include <cstdint>
#include <filesystem>

namespace bathyscope::storage {

/// Holds a lock file as long as it lives. The system releases the lock when the program ends in any way.
class InstanceLock {
public:
    /// Throws ProfileInUse when another instance holds it, MediumError when the file cannot be made.
    explicit InstanceLock(const std::filesystem::path &file);
    ~InstanceLock();
    InstanceLock(const InstanceLock &) = delete;
    InstanceLock &operator=(const InstanceLock &) = delete;

private:
    std::intptr_t m_handle = -1; ///< the system's handle of the open file
};

} // namespace bathyscope::storage
