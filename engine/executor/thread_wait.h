// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sleeping until a number changes. One .cpp file for each kind of system.
#pragma once

#include <atomic>
#include <cstdint>

namespace bathyscope {

/// Returns when `number` is no longer `value`.
void waitWhile(const std::atomic<std::uint32_t> &number, std::uint32_t value);

/// Wakes all threads that wait for `number`, which was changed before.
void wakeAll(std::atomic<std::uint32_t> &number);

} // namespace bathyscope
