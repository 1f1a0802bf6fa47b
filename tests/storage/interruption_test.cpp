// SPDX-License-Identifier: GPL-3.0-or-later
//
// Kills a program that streams tokens, at random moments.
#include "storage/history_thread.h"
#include "tests/storage/shared_memory.h"
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <new>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace bathyscope::storage::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kTokensPerSecond = 1000;
constexpr int kMostTokens = 4000;

/// What the child has posted, seen by both processes: posted[i] is when token i was posted.
struct SharedLog {
    std::atomic<int> count = 0;
    std::array<std::atomic<Clock::rep>, kMostTokens> posted{};
};

TokenRecord tokenOf(int index)
{
    return plainToken(std::to_string(index) + (index % 3 == 0 ? " \xF0\x9F" : " "),
                      index < 300 ? Section::Reasoning : Section::Answer);
}

/// The child: streams in real time, in batches of 16 ms as the window does, until it is killed.
[[noreturn]] void streamUntilKilled(const std::filesystem::path &folder, const SharedMemory<SharedLog> &log)
{
    HistoryThread thread(std::make_unique<History>(folder), {});
    const ConversationId conversation = thread.newConversationId();
    const MessageId reply = thread.newMessageId();
    thread.write([=](History &history) {
        history.create({.id = conversation, .title = "killed"});
        history.beginReply({.id = reply, .conversation = conversation, .role = Role::Assistant});
    });
    const Clock::time_point start = Clock::now();
    int next = 0;
    while (next < kMostTokens) {
        std::this_thread::sleep_for(16ms);
        const auto wanted = (Clock::now() - start) * kTokensPerSecond / 1s;
        std::vector<TokenRecord> batch;
        const Clock::rep now = Clock::now().time_since_epoch().count();
        for (; next < std::min<int>(kMostTokens, static_cast<int>(wanted)); ++next) {
            batch.push_back(tokenOf(next));
            log->posted[static_cast<std::size_t>(next)] = now;
        }
        thread.appendTokens(reply, std::move(batch));
        log->count = next;
    }
    while (true)
        pause();
}

/// Lets a child stream for a while and kills it; returns when.
Clock::time_point streamAndKill(const std::filesystem::path &folder, const SharedMemory<SharedLog> &log,
                                std::chrono::milliseconds after)
{
    const pid_t child = fork();
    if (child == 0)
        streamUntilKilled(folder, log);
    for (int i = 0; log->count == 0 && i < 10'000; ++i) // a child that fails never counts
        std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(after);
    const Clock::time_point killed = Clock::now();
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return killed;
}

void expectAllButTheLast250ms(const LoadedMessage &loaded, const SharedMemory<SharedLog> &log,
                              Clock::time_point killed)
{
    EXPECT_EQ(loaded.message.state, MessageState::Interrupted);
    EXPECT_EQ(loaded.damage, "");
    // Words and traces lie in two files, of which the second may be a batch behind.
    for (std::size_t i = 0; i < loaded.tokens.size(); ++i) {
        if (i < loaded.traced)
            ASSERT_EQ(loaded.tokens[i], tokenOf(static_cast<int>(i)));
        else
            ASSERT_EQ(loaded.tokens[i].bytes, tokenOf(static_cast<int>(i)).bytes);
    }
    EXPECT_EQ(loaded.message.text, joined(loaded.tokens, Section::Answer));
    EXPECT_EQ(loaded.message.reasoning, joined(loaded.tokens, Section::Reasoning));
    if (static_cast<int>(loaded.traced) < log->count) {
        const Clock::time_point firstLost{Clock::duration(log->posted[loaded.traced])};
        EXPECT_LE(killed - firstLost, 250ms) << log->count - static_cast<int>(loaded.traced) << " tokens";
    }
}

TEST(Interruption, losesAtMostTheLastQuarterOfASecond)
{
    std::mt19937 random(std::random_device{}());
    TempFolder folder;
    std::size_t conversations = 0;
    for (int round = 0; round < 20; ++round) {
        const SharedMemory<SharedLog> log;
        const Clock::time_point killed =
            streamAndKill(folder.path(), log, std::chrono::milliseconds(random() % 1200));
        {
            History history(folder.path());
            EXPECT_TRUE(history.openedAfterCrash());
            EXPECT_TRUE(history.checkIntegrity().empty());
            const std::vector<Conversation> all = history.conversations();
            if (all.size() == conversations) { // killed before even the conversation was written
                EXPECT_LE(killed - Clock::time_point(Clock::duration(log->posted[0])), 250ms);
            } else {
                ASSERT_EQ(all.size(), ++conversations);
                const LoadedConversation loaded = history.load(all.front().id);
                ASSERT_EQ(loaded.path.size(), 1U);
                expectAllButTheLast250ms(loaded.path.front(), log, killed);
            }
        }
        ASSERT_EQ(runSql(folder.database(), "PRAGMA integrity_check"), "ok");
    }
    EXPECT_FALSE(History(folder.path()).openedAfterCrash());
}

TEST(Interruption, ofAReplyFindsItsTextInTheSearch)
{
    OneConversation one;
    const MessageId id = one.beginReply();
    one.history().appendTokens(id, {plainToken("bathy"), plainToken("sphere")});
    one.reopen();
    EXPECT_EQ(one.lastMessage().message.state, MessageState::Interrupted);
    ASSERT_EQ(one.history().search({.text = "bathysphere"}).size(), 1U);
    EXPECT_THROW(one.history().appendTokens(id, {plainToken("x")}), Error);
}

} // namespace
} // namespace bathyscope::storage::test
