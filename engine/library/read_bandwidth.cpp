// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/library/read_bandwidth.h"

#include "engine/executor/thread_team.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace bathyscope {

double measureReadBandwidth(int threads)
{
    constexpr std::int64_t words = std::int64_t(32) << 20U; // 256 MB: more than caches hold
    constexpr std::int64_t piece = std::int64_t(1) << 17U;
    constexpr int rounds = 3;
    ThreadTeam team(threads > 0 ? threads
                                : std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
    const std::vector<std::uint64_t> memory(static_cast<std::size_t>(words), 1);
    std::vector<std::uint64_t> sums(static_cast<std::size_t>(words / piece));
    double best = 0;
    for (int i = 0; i < rounds; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        team.run([&](ThreadTeam::Member &member) {
            member.forEach(words, piece, [&](std::int64_t first, std::int64_t end) {
                std::uint64_t sum = 0;
                for (std::int64_t w = first; w < end; ++w)
                    sum += memory[static_cast<std::size_t>(w)];
                sums[static_cast<std::size_t>(first / piece)] += sum; // kept, so that it is not left out
            });
        });
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
        best = std::max(best, double(words * std::int64_t(sizeof(std::uint64_t))) / time.count());
    }
    // Every word is a one: a sum of anything else was not read.
    return sums.front() == std::uint64_t(rounds) * piece ? best : 0;
}

} // namespace bathyscope
