// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/history_thread.h"

#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include <csignal>
#include <sys/resource.h>

namespace bathyscope::storage::test {
namespace {

using namespace std::chrono_literals;

/// Collects what a HistoryThread reports; shared with its callbacks.
class Reports {
public:
    HistoryThread::Events events()
    {
        return {.failed = [this](const std::string &text) { add(text); },
                .refused = [this](const std::string &text) { add("refused: " + text); },
                .recovered = [this] { add("recovered"); }};
    }
    std::vector<std::string> all()
    {
        const std::scoped_lock lock(m_mutex);
        return m_all;
    }
    /// Waits until there are as many; false when they do not come.
    bool waitFor(std::size_t count)
    {
        for (int i = 0; i < 500 && all().size() < count; ++i)
            std::this_thread::sleep_for(20ms);
        return all().size() >= count;
    }

private:
    void add(const std::string &text)
    {
        const std::scoped_lock lock(m_mutex);
        m_all.push_back(text);
    }

    std::mutex m_mutex;
    std::vector<std::string> m_all;
};

/// A conversation with a reply that streams, on a storage thread.
class StreamingReply {
public:
    explicit StreamingReply(Reports &reports)
        : thread(std::make_unique<HistoryThread>(std::make_unique<History>(folder.path()), reports.events()))
        , conversation(thread->newConversationId())
        , reply(thread->newMessageId())
    {
        thread->write([conversation = conversation, reply = reply](History &history) {
            history.create({.id = conversation, .title = "Ships"});
            history.beginReply({.id = reply, .conversation = conversation, .role = Role::Assistant});
        });
    }
    void finish()
    {
        thread->write(
            [reply = reply](History &history) { history.finishReply(reply, MessageState::Complete, {}); });
    }
    LoadedMessage load()
    {
        std::promise<LoadedConversation> loaded;
        thread->read<LoadedConversation>(
            [conversation = conversation](History &history) { return history.load(conversation); },
            [&](LoadedConversation result) { loaded.set_value(std::move(result)); });
        return loaded.get_future().get().path.back();
    }
    /// After the thread has ended.
    LoadedMessage loadAgain()
    {
        thread.reset();
        return History(folder.path()).load(conversation).path.back();
    }

    TempFolder folder;
    std::unique_ptr<HistoryThread> thread;
    ConversationId conversation = 0;
    MessageId reply = 0;
};

TEST(HistoryThread, storesBatchesInOrderAndReadsSeeThem)
{
    Reports reports;
    StreamingReply streaming(reports);
    std::mt19937 random(1);
    std::vector<TokenRecord> all;
    for (int batch = 0; batch < 300; ++batch) {
        const std::vector<TokenRecord> tokens = randomTokens(random, random() % 5);
        all.insert(all.end(), tokens.begin(), tokens.end());
        streaming.thread->appendTokens(streaming.reply, tokens);
        if (batch % 100 == 50) {
            EXPECT_EQ(streaming.load().tokens, all);
        }
    }
    streaming.finish();
    const LoadedMessage loaded = streaming.loadAgain();
    EXPECT_EQ(loaded.tokens, all);
    EXPECT_EQ(loaded.message.state, MessageState::Complete);
    EXPECT_TRUE(reports.all().empty());
}

TEST(HistoryThread, writesTokensWithoutBeingAsked)
{
    Reports reports;
    StreamingReply streaming(reports);
    streaming.thread->flush();
    const std::filesystem::path log = streaming.folder.path() / "history.db-wal";
    const auto before = std::filesystem::file_size(log);
    streaming.thread->appendTokens(streaming.reply, {plainToken("deep")});
    for (int i = 0; i < 100 && std::filesystem::file_size(log) == before; ++i)
        std::this_thread::sleep_for(20ms);
    EXPECT_GT(std::filesystem::file_size(log), before);
}

TEST(HistoryThread, writesAllThatWasPostedBeforeItEnds)
{
    Reports reports;
    StreamingReply streaming(reports);
    std::atomic<int> done = 0;
    for (int i = 0; i < 500; ++i) {
        streaming.thread->appendTokens(streaming.reply, {plainToken("x")});
        streaming.thread->write(
            [&streaming, i](History &h) { h.rename(streaming.conversation, std::to_string(i)); },
            [&done] { ++done; });
    }
    const LoadedMessage loaded = streaming.loadAgain();
    EXPECT_EQ(loaded.tokens.size(), 500U);
    EXPECT_EQ(done, 500);
    EXPECT_EQ(History(streaming.folder.path()).conversations().front().title, "499");
}

TEST(HistoryThread, flushWaitsForWhatWasPosted)
{
    Reports reports;
    StreamingReply streaming(reports);
    std::atomic<bool> done = false;
    streaming.thread->write([](History &) { std::this_thread::sleep_for(50ms); }, [&done] { done = true; });
    streaming.thread->flush();
    EXPECT_TRUE(done);
    streaming.thread->flush();
}

TEST(HistoryThread, reportsWhatCanNeverSucceedAndGoesOn)
{
    Reports reports;
    StreamingReply streaming(reports);
    std::atomic<bool> done = false;
    std::atomic<bool> failed = false;
    streaming.thread->write([](History &history) { history.rename(1, "not there"); },
                            [&done] { done = true; }, [&failed] { failed = true; });
    streaming.thread->read<int>([](History &) -> int { throw Error("unreadable"); },
                                [&done](int) { done = true; });
    streaming.thread->appendTokens(streaming.reply, {plainToken("on")});
    streaming.thread->flush();
    EXPECT_EQ(reports.all(),
              (std::vector<std::string>{"The history holds no conversation 1.", "unreadable"}));
    EXPECT_FALSE(done);
    EXPECT_TRUE(failed);
    EXPECT_EQ(streaming.load().tokens.size(), 1U);
}

/// Lets no file grow beyond a size while it lives, as a full disk would. The signal that comes with it is
/// ignored.
class SmallDisk {
public:
    explicit SmallDisk(std::uintmax_t bytes)
    {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &m_before);
        rlimit small = m_before;
        small.rlim_cur = bytes;
        setrlimit(RLIMIT_FSIZE, &small);
    }
    ~SmallDisk() { setrlimit(RLIMIT_FSIZE, &m_before); }
    SmallDisk(const SmallDisk &) = delete;
    SmallDisk &operator=(const SmallDisk &) = delete;

private:
    rlimit m_before{};
};

TEST(HistoryThread, keepsWhatTheDiskRefusesAndStoresItLater)
{
    Reports reports;
    StreamingReply streaming(reports);
    std::vector<TokenRecord> all(2000, plainToken("deeper "));
    std::atomic<bool> done = false;
    streaming.thread->appendTokens(streaming.reply, {all.begin(), all.begin() + 500});
    streaming.thread->flush();
    {
        const SmallDisk full(std::filesystem::file_size(streaming.folder.path() / "history.db-wal"));
        streaming.thread->appendTokens(streaming.reply, {all.begin() + 500, all.end()});
        streaming.finish();
        streaming.thread->write([&](History &h) { h.rename(streaming.conversation, "later"); },
                                [&done] { done = true; });
        ASSERT_TRUE(reports.waitFor(1));
        EXPECT_EQ(streaming.load().tokens.size(), 500U) << "reads go on";
        std::this_thread::sleep_for(1200ms); // a vain retry
        EXPECT_EQ(reports.all().size(), 1U) << "told once";
        EXPECT_FALSE(done);
    }
    ASSERT_TRUE(reports.waitFor(2));
    EXPECT_EQ(reports.all()[1], "recovered");
    EXPECT_TRUE(done);
    const LoadedMessage loaded = streaming.loadAgain();
    EXPECT_EQ(loaded.tokens, all);
    EXPECT_EQ(loaded.message.state, MessageState::Complete);
}

TEST(HistoryThread, tellsWhatIsLostWhenTheDiskStaysFull)
{
    Reports reports;
    StreamingReply streaming(reports);
    streaming.thread->flush();
    const SmallDisk full(std::filesystem::file_size(streaming.folder.path() / "history.db-wal"));
    streaming.thread->appendTokens(streaming.reply, std::vector<TokenRecord>(2000, plainToken("deeper ")));
    streaming.thread.reset();
    ASSERT_EQ(reports.all().size(), 2U);
    EXPECT_EQ(reports.all()[1].rfind("The last 1 changes could not be stored and are lost.", 0), 0U);
}

TEST(HistoryThread, worksInAStandInUntilTheFolderCanBeUsed)
{
    TempFolder folder;
    const std::filesystem::path profile = folder.path() / "profile";
    constexpr ConversationId kOld = 1;
    {
        History history(profile);
        history.create({.id = kOld, .title = "old"});
        history.addMessage({.id = 2, .conversation = kOld, .text = "How deep?"});
    }
    std::atomic<bool> usable = false;
    const HistoryThread::Open open = [&] {
        return usable ? std::make_unique<History>(profile) : throw MediumError("read-only");
    };
    Reports reports;
    HistoryThread thread(History::inMemory(profile), open, "read-only", reports.events());
    const MessageId reply = thread.newMessageId();
    thread.write([&](History &history) {
        history.beginReply({.id = reply, .conversation = kOld, .parent = 2, .role = Role::Assistant});
    });
    thread.appendTokens(reply, {plainToken("923 ")});
    const auto load = [&thread] {
        std::promise<LoadedConversation> loaded;
        thread.read<LoadedConversation>([](History &history) { return history.load(kOld); },
                                        [&](LoadedConversation all) { loaded.set_value(std::move(all)); });
        return loaded.get_future().get();
    };
    EXPECT_EQ(load().path.back().tokens.size(), 1U) << "what waits is shown";
    EXPECT_EQ(reports.all(), std::vector<std::string>{"refused: read-only"});
    usable = true;
    ASSERT_TRUE(reports.waitFor(2));
    EXPECT_EQ(reports.all()[1], "recovered");
    thread.appendTokens(reply, {plainToken("m")});
    std::atomic<int> stored = 0;
    thread.write([&](History &history) { history.finishReply(reply, MessageState::Complete, {}); },
                 [&] { ++stored; });
    thread.flush();
    EXPECT_EQ(stored, 1);
    EXPECT_EQ(load().path.back().message.text, "923 m");
    EXPECT_TRUE(std::filesystem::exists(profile / "history.db-wal")) << "the file itself is open";
}

TEST(HistoryThread, tellsWhatIsLostWhenTheFolderIsNeverUsable)
{
    Reports reports;
    {
        HistoryThread thread(
            History::inMemory(), []() -> std::unique_ptr<History> { throw MediumError("gone"); }, "gone",
            reports.events());
        thread.write([](History &history) { history.create({.id = 1, .title = "t"}); });
    }
    ASSERT_EQ(reports.all().size(), 2U);
    EXPECT_EQ(reports.all()[1].rfind("The last 1 changes could not be stored and are lost.", 0), 0U);
}

TEST(HistoryThread, worksInMemory)
{
    Reports reports;
    HistoryThread thread(History::inMemory(), reports.events());
    thread.write([](History &history) { history.create({.id = 1, .title = "t"}); });
    std::promise<std::size_t> count;
    thread.read<std::size_t>([](History &history) { return history.conversations().size(); },
                             [&](std::size_t size) { count.set_value(size); });
    EXPECT_EQ(count.get_future().get(), 1U);
}

} // namespace
} // namespace bathyscope::storage::test
