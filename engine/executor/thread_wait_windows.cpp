// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "engine/executor/thread_wait.h"

#include <windows.h>

namespace bathyscope {

// Not atomic::wait(): where there is no futex, that of g++ 12 looks at the number before it takes its lock,
// and a change in between wakes nobody.
void waitWhile(const std::atomic<std::uint32_t> &number, std::uint32_t value)
{
    static_assert(sizeof number == sizeof value);
    while (number.load(std::memory_order_acquire) == value)
        ::WaitOnAddress(const_cast<std::atomic<std::uint32_t> *>(&number), &value, sizeof value, INFINITE);
}

void wakeAll(std::atomic<std::uint32_t> &number)
{
    ::WakeByAddressAll(&number);
}

} // namespace bathyscope

#endif
