// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/thread_team.h"

#include "engine/executor/thread_wait.h"

#include <algorithm>
#include <chrono>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace bathyscope {

namespace {

using Clock = std::chrono::steady_clock;

void relax()
{
#if defined(__x86_64__) || defined(_M_X64)
    _mm_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

} // namespace

/// Spins until done() holds; gives the core away when that takes long, since the thread waited for may
/// have lost its own.
template <typename Done>
void ThreadTeam::spinUntil(const Done &done)
{
    constexpr int patience = 4000; // about 50 µs
    for (int i = 0; i < patience; ++i) {
        if (done())
            return;
        relax();
    }
    const auto start = Clock::now();
    while (!done())
        std::this_thread::yield();
    m_stalled.fetch_add(std::chrono::nanoseconds(Clock::now() - start).count(), std::memory_order_relaxed);
}

ThreadTeam::ThreadTeam(int threads)
    : m_size(threads < 1 ? 1 : threads)
    , m_active(m_size)
{
    for (int i = 1; i < m_size; ++i)
        m_threads.emplace_back([this, i] { loop(i); });
}

ThreadTeam::~ThreadTeam()
{
    m_quit = true;
    m_started.fetch_add(1, std::memory_order_release);
    wakeAll(m_started);
    for (std::thread &thread : m_threads)
        thread.join();
}

void ThreadTeam::run(const std::function<void(Member &)> &work)
{
    constexpr int leastPenalty = 16;
    constexpr int mostPenalty = 1024;
    if (m_aloneRuns > 0) {
        --m_aloneRuns;
        m_active = 1;
        Member self(*this, 0);
        work(self);
        return;
    }
    m_active = m_size;
    m_stalled.store(0, std::memory_order_relaxed);
    const auto start = Clock::now();
    runTogether(work);
    // Alone, a run takes as long as all threads' work together: that is better once it is hardly more than
    // what they took.
    const auto elapsed = std::chrono::nanoseconds(Clock::now() - start).count();
    const auto worked = elapsed * m_size - m_stalled.load(std::memory_order_relaxed);
    if (2 * worked >= 3 * elapsed) {
        m_penalty = 0;
        return;
    }
    m_penalty = std::clamp(2 * m_penalty, leastPenalty, mostPenalty);
    m_aloneRuns = m_penalty;
}

void ThreadTeam::runTogether(const std::function<void(Member &)> &work)
{
    m_work = &work;
    m_running.store(m_size, std::memory_order_relaxed);
    m_started.fetch_add(1, std::memory_order_release);
    wakeAll(m_started);
    Member self(*this, 0);
    work(self);
    m_running.fetch_sub(1, std::memory_order_acq_rel);
    spinUntil([this] { return m_running.load(std::memory_order_acquire) == 0; });
}

void ThreadTeam::loop(int index)
{
    std::uint32_t seen = 0;
    for (;;) {
        // The next step usually follows within microseconds: look for it a while before sleeping.
        for (int i = 0; i < 2000 && m_started.load(std::memory_order_acquire) == seen; ++i)
            relax();
        waitWhile(m_started, seen);
        ++seen;
        if (m_quit)
            return;
        Member self(*this, index);
        (*m_work)(self);
        m_running.fetch_sub(1, std::memory_order_acq_rel);
    }
}

void ThreadTeam::barrier()
{
    if (m_active == 1) {
        m_next.store(0, std::memory_order_relaxed);
        return;
    }
    const std::uint32_t generation = m_generation.load(std::memory_order_relaxed);
    if (m_arrived.fetch_add(1, std::memory_order_acq_rel) == m_active - 1) {
        m_arrived.store(0, std::memory_order_relaxed);
        m_next.store(0, std::memory_order_relaxed);
        m_generation.store(generation + 1, std::memory_order_release);
        return;
    }
    spinUntil([&] { return m_generation.load(std::memory_order_acquire) != generation; });
}

} // namespace bathyscope
