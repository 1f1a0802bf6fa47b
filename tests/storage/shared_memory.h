// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <new>

#include <sys/mman.h>

namespace bathyscope::storage::test {

/// A T that a process and its forked children see together, and that outlives a child that was killed.
template <typename T>
class SharedMemory {
public:
    SharedMemory()
        : m_memory(mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
        , m_value(new (m_memory) T)
    {
    }
    ~SharedMemory() { munmap(m_memory, sizeof(T)); }
    SharedMemory(const SharedMemory &) = delete;
    SharedMemory &operator=(const SharedMemory &) = delete;
    T *operator->() const { return m_value; }

private:
    void *m_memory;
    T *m_value;
};

} // namespace bathyscope::storage::test
