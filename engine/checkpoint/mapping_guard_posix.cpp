// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "engine/checkpoint/mapping_guard.h"
#include "engine/error.h"
#include "engine/limits.h"

#include <fmt/format.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <sys/mman.h>
#include <unistd.h>

namespace bathyscope {

namespace {

struct Slot {
    std::atomic<std::uintptr_t> begin = 0; ///< 0: free
    std::atomic<std::uintptr_t> end = 0;
    std::atomic<bool> broken = false;
};

// A signal is the whole process's, and its handler can ask nobody: what it needs lies here, lock-free.
std::array<Slot, limits::maxMappedFiles> slots;
std::uintptr_t pageSize = 4096;
struct sigaction previousAction;

/// Puts a page of zeros where the file has none; then the read is done again.
bool mend(std::uintptr_t address)
{
    for (Slot &slot : slots) {
        const std::uintptr_t begin = slot.begin.load(std::memory_order_acquire);
        if (begin == 0 || address < begin || address >= slot.end.load(std::memory_order_relaxed))
            continue;
        // mmap is a plain system call here, though POSIX does not list it as safe in a handler.
        void *page = reinterpret_cast<void *>(address / pageSize * pageSize);
        if (::mmap(page, pageSize, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            return false;
        slot.broken.store(true, std::memory_order_release);
        return true;
    }
    return false;
}

void onBusError(int signal, siginfo_t *info, void *context)
{
    if (mend(reinterpret_cast<std::uintptr_t>(info->si_addr)))
        return;
    // Not ours: as if we were not there.
    if ((previousAction.sa_flags & SA_SIGINFO) != 0 && previousAction.sa_sigaction != nullptr)
        previousAction.sa_sigaction(signal, info, context);
    else
        ::sigaction(signal, &previousAction, nullptr); // the read is done again and ends the program
}

void installHandler()
{
    static std::once_flag once;
    std::call_once(once, [] {
        pageSize = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        struct sigaction action = {};
        action.sa_sigaction = onBusError;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        sigemptyset(&action.sa_mask);
        ::sigaction(SIGBUS, &action, &previousAction);
    });
}

} // namespace

MappingGuard::MappingGuard(const void *begin, std::size_t size)
    : m_slot(0)
{
    installHandler();
    const auto address = reinterpret_cast<std::uintptr_t>(begin);
    for (; m_slot < slots.size(); ++m_slot) {
        std::uintptr_t free = 0;
        // Claimed with an end that no address is below, until the true one is known.
        if (slots[m_slot].begin.compare_exchange_strong(free, address)) {
            slots[m_slot].broken = false;
            slots[m_slot].end = address + size;
            return;
        }
    }
    throw Error(fmt::format("expected at most {} mapped files, found more", slots.size()));
}

MappingGuard::~MappingGuard()
{
    slots[m_slot].end = 0;
    slots[m_slot].begin = 0;
}

bool MappingGuard::isBroken() const
{
    return slots[m_slot].broken.load(std::memory_order_acquire);
}

} // namespace bathyscope

#endif
