// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/executor/thread_team.h"

#include <gtest/gtest.h>

#include <numeric>

namespace bathyscope {
namespace {

class Team : public testing::TestWithParam<int> { };

TEST_P(Team, EveryPieceIsDoneOnceAndSeenAfterTheBarrier)
{
    ThreadTeam team(GetParam());
    std::vector<int> values(1000);
    std::atomic<int> wrong = 0;
    for (int run = 0; run < 20; ++run) {
        std::fill(values.begin(), values.end(), 0);
        team.run([&](ThreadTeam::Member &member) {
            for (int phase = 1; phase <= 10; ++phase) {
                member.forEach(1000, 7, [&](std::int64_t begin, std::int64_t end) {
                    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                        ++values[i];
                });
                // Everybody sees everybody's work of this phase.
                wrong += std::accumulate(values.begin(), values.end(), 0) != 1000 * phase;
                member.barrier();
            }
        });
    }
    EXPECT_EQ(wrong, 0);
}

TEST_P(Team, EmptyWorkIsFine)
{
    ThreadTeam team(GetParam());
    int calls = 0;
    team.run([&](ThreadTeam::Member &member) {
        member.forEach(0, 4, [&](std::int64_t, std::int64_t) { ++calls; });
    });
    EXPECT_EQ(calls, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, Team, testing::Values(1, 2, 3, 8));

} // namespace
} // namespace bathyscope
