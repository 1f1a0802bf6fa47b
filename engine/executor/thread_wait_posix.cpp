// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "engine/executor/thread_wait.h"

namespace bathyscope {

void waitWhile(const std::atomic<std::uint32_t> &number, std::uint32_t value)
{
    number.wait(value, std::memory_order_acquire);
}

void wakeAll(std::atomic<std::uint32_t> &number)
{
    number.notify_all();
}

} // namespace bathyscope

#endif
