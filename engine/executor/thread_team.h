// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace bathyscope {

/// Threads that walk through one function together. Between the calls of run() they sleep; inside, they
/// meet at barriers that spin, because a decode step has dozens of phases of a few microseconds each. That
/// goes wrong where other programs take the cores: then everybody waits for the one that has none. So
/// when a run was mostly waiting, the calling thread does the next ones alone, and tries the team again
/// later.
class ThreadTeam {
public:
    class Member;

    explicit ThreadTeam(int threads);
    ThreadTeam(const ThreadTeam &) = delete;
    ThreadTeam &operator=(const ThreadTeam &) = delete;
    ~ThreadTeam();

    [[nodiscard]] int size() const { return m_size; }

    /// Calls work(member) on the threads, the calling one included, and returns when all are done. The
    /// function must not throw, and its result must not depend on how many threads there are.
    void run(const std::function<void(Member &)> &work);

private:
    void loop(int index);
    void runTogether(const std::function<void(Member &)> &work);
    void barrier();
    template <typename Done>
    void spinUntil(const Done &done);

    const int m_size;
    std::vector<std::thread> m_threads;
    const std::function<void(Member &)> *m_work = nullptr;
    bool m_quit = false;
    int m_active; ///< threads of the current run: all, or the calling one alone
    int m_aloneRuns = 0; ///< runs yet to be done alone
    int m_penalty = 0; ///< runs that were done alone after the last slow one
    std::atomic<std::int64_t> m_stalled = 0; ///< nanoseconds of the current run that threads waited in vain
    std::atomic<std::uint32_t> m_started = 0; ///< runs begun; sleepers wait for it to change
    std::atomic<int> m_running = 0; ///< threads that have not left the current run
    alignas(64) std::atomic<int> m_arrived = 0;
    alignas(64) std::atomic<std::uint32_t> m_generation = 0;
    alignas(64) std::atomic<std::int64_t> m_next = 0; ///< next piece of the current forEach()
};

/// One thread's part in a run.
class ThreadTeam::Member {
public:
    Member(ThreadTeam &team, int index)
        : m_team(team)
        , m_index(index)
    {
    }

    [[nodiscard]] int index() const { return m_index; }
    [[nodiscard]] int teamSize() const { return m_team.m_active; }

    /// Splits [0, count) into pieces of `grain`, calls piece(begin, end) for each on whichever thread is
    /// free, and waits for all. Every member must make the same calls in the same order.
    template <typename Piece>
    void forEach(std::int64_t count, std::int64_t grain, const Piece &piece)
    {
        for (;;) {
            const std::int64_t begin = m_team.m_next.fetch_add(grain, std::memory_order_relaxed);
            if (begin >= count)
                break;
            piece(begin, begin + grain < count ? begin + grain : count);
        }
        m_team.barrier();
    }

    /// Waits until all members are here; what they wrote before is visible after.
    void barrier() { m_team.barrier(); }

private:
    ThreadTeam &m_team;
    int m_index;
};

} // namespace bathyscope
