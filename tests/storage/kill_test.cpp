// SPDX-License-Identifier: GPL-3.0-or-later
//
// Kills a program that streams, edits, forks, deletes, migrates and backs up, at random moments;
// BATHYSCOPE_KILLS of them, 20 unless it says otherwise. Nothing that was stored is missing, a reply that was
// being written lacks 250 ms at the most, and no file is damaged.
#include "storage/history_thread.h"
#include "tests/storage/shared_memory.h"
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <map>
#include <new>
#include <set>

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace bathyscope::storage::test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// What the child tells while it lives.
struct Log {
    static constexpr std::size_t kMost = 20'000;

    std::atomic<bool> started = false;
    std::atomic<std::size_t> stored = 0; ///< entries of the next two: messages that are stored whole
    std::array<std::atomic<MessageId>, kMost> message{};
    std::array<std::atomic<ConversationId>, kMost> conversation{};
    std::atomic<std::size_t> deleted = 0; ///< conversations whose deletion was asked for
    std::array<std::atomic<ConversationId>, kMost> gone{};
    std::atomic<MessageId> streaming = 0;
    std::atomic<std::size_t> posted = 0; ///< tokens of the streaming reply
    std::array<std::atomic<Clock::rep>, kMost> postedAt{};
};

std::string textOf(MessageId id)
{
    return "words of " + std::to_string(id);
}

TokenRecord tokenOf(std::size_t index)
{
    return plainToken(std::to_string(index) + ' ');
}

/// The child.
class Person {
public:
    Person(const std::filesystem::path &folder, const SharedMemory<Log> &log, unsigned seed)
        : m_folder(folder)
        , m_log(log)
        , m_random(seed)
        , m_thread(std::make_unique<History>(folder), {})
    {
        m_log->started = true;
    }

    [[noreturn]] void actUntilKilled()
    {
        while (true) {
            switch (m_random() % 6) {
            case 0:
                begin();
                break;
            case 1:
            case 2:
                ask();
                break;
            case 3:
                stream();
                break;
            case 4:
                remove();
                break;
            default:
                backUp();
            }
        }
    }

private:
    struct Known {
        ConversationId id;
        std::vector<MessageId> messages;
    };

    void begin()
    {
        const ConversationId id = m_thread.newConversationId();
        m_known.push_back({id, {}});
        m_thread.write([id](History &history) { history.create({.id = id, .title = textOf(id)}); });
    }

    Known &any()
    {
        if (m_known.empty())
            begin();
        return m_known[m_random() % m_known.size()];
    }

    std::function<void()> toLog(MessageId message, ConversationId conversation)
    {
        return [this, message, conversation] {
            const std::size_t at = m_log->stored;
            m_log->message[at % Log::kMost] = message;
            m_log->conversation[at % Log::kMost] = conversation;
            m_log->stored = at + 1;
        };
    }

    /// A question anywhere in the tree: a new turn, or an edited one beside another.
    void ask()
    {
        Known &known = any();
        const MessageId id = m_thread.newMessageId();
        StoredMessage message{.id = id, .conversation = known.id, .text = textOf(id)};
        if (!known.messages.empty())
            message.parent = known.messages[m_random() % known.messages.size()];
        known.messages.push_back(id);
        m_thread.write([message](History &history) { history.addMessage(message); }, toLog(id, known.id));
        if (m_random() % 2 == 0)
            m_thread.write([id](History &history) { (void)history.selectBranch(id); });
    }

    void stream()
    {
        Known &known = any();
        const MessageId id = m_thread.newMessageId();
        m_log->posted = 0;
        m_log->streaming = id;
        m_thread.write([id, conversation = known.id](History &history) {
            history.beginReply(
                {.id = id, .conversation = conversation, .role = Role::Assistant, .model = "f00d"});
        });
        const std::size_t count = 50 + m_random() % 500;
        for (std::size_t next = 0; next < count;) {
            std::this_thread::sleep_for(8ms);
            std::vector<TokenRecord> batch;
            const Clock::rep now = Clock::now().time_since_epoch().count();
            for (int i = 0; i < 10; ++i, ++next) {
                batch.push_back(tokenOf(next));
                m_log->postedAt[next] = now;
            }
            m_thread.appendTokens(id, std::move(batch));
            m_log->posted = next;
        }
        m_thread.write([id](History &history) { history.finishReply(id, MessageState::Complete, {}); },
                       toLog(id, known.id));
        m_thread.flush();
    }

    void remove()
    {
        if (m_known.size() < 3)
            return;
        const ConversationId id = any().id;
        m_log->gone[m_log->deleted] = id;
        ++m_log->deleted;
        std::erase_if(m_known, [id](const Known &known) { return known.id == id; });
        m_thread.write([id](History &history) { history.remove(id); });
    }

    void backUp()
    {
        if (m_random() % 4 == 0)
            std::filesystem::remove_all(m_folder / "backups");
        m_thread.read<bool>([](History &history) { return history.backUpDaily(); }, [](bool) {});
        m_thread.flush();
    }

    std::filesystem::path m_folder;
    const SharedMemory<Log> &m_log;
    std::mt19937 m_random;
    std::vector<Known> m_known;
    HistoryThread m_thread;
};

/// Returns when it was killed.
Clock::time_point actAndKill(const std::filesystem::path &folder, const SharedMemory<Log> &log, unsigned seed,
                             std::chrono::microseconds after, bool whileOpening)
{
    const pid_t child = fork();
    if (child == 0)
        Person(folder, log, seed).actUntilKilled();
    for (int i = 0; !whileOpening && !log->started && i < 20'000; ++i)
        std::this_thread::sleep_for(1ms);
    std::this_thread::sleep_for(after);
    const Clock::time_point killed = Clock::now();
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return killed;
}

std::map<MessageId, StoredMessage> allMessages(History &history)
{
    std::map<MessageId, StoredMessage> all;
    for (const Conversation &conversation : history.conversations())
        for (ExchangedMessage &each : history.exportConversation(conversation.id, ExportTraces::No).messages)
            all.emplace(each.message.id, std::move(each.message));
    return all;
}

void expectNothingStoredIsLost(History &history, const SharedMemory<Log> &log, Clock::time_point killed)
{
    const std::map<MessageId, StoredMessage> all = allMessages(history);
    std::set<ConversationId> gone;
    for (std::size_t i = 0; i < log->deleted; ++i)
        gone.insert(log->gone[i]);
    for (std::size_t i = 0; i < log->stored; ++i) {
        const auto found = all.find(log->message[i]);
        if (gone.contains(log->conversation[i]))
            continue;
        ASSERT_NE(found, all.end()) << "message " << i << " of " << log->stored;
        if (found->second.role == Role::User) {
            EXPECT_EQ(found->second.text, textOf(found->first));
        } else {
            EXPECT_EQ(found->second.state, MessageState::Complete);
        }
    }
    const auto streaming = all.find(log->streaming);
    if (streaming == all.end() || streaming->second.state != MessageState::Interrupted)
        return;
    std::string text;
    std::size_t kept = 0;
    while (text.size() < streaming->second.text.size())
        text += tokenOf(kept++).bytes;
    EXPECT_EQ(streaming->second.text, text);
    if (kept < log->posted) {
        EXPECT_LE(killed - Clock::time_point(Clock::duration(log->postedAt[kept])), 250ms) << kept;
    }
}

void expectSoundFiles(const std::filesystem::path &folder)
{
    for (const char *file : {"history.db", "traces.db"}) {
        ASSERT_EQ(runSql(folder / file, "PRAGMA integrity_check"), "ok") << file;
        ASSERT_EQ(runSql(folder / file, "PRAGMA foreign_key_check"), "") << file;
    }
}

TEST(Kill, atAnyMomentLosesNothingThatWasStored)
{
    const char *wanted = std::getenv("BATHYSCOPE_KILLS");
    const int kills = wanted != nullptr ? std::atoi(wanted) : 20;
    const unsigned seed = std::random_device{}();
    std::mt19937 random(seed);
    std::unique_ptr<TempFolder> folder;
    for (int round = 0; round < kills && !testing::Test::HasFailure(); ++round) {
        SCOPED_TRACE("seed " + std::to_string(seed) + ", round " + std::to_string(round));
        const bool migrates = round % 4 == 0;
        if (migrates) {
            folder = std::make_unique<TempFolder>();
            std::filesystem::copy_file(
                std::filesystem::path(BATHYSCOPE_TEST_DATA) / "history" / "version-1.db", folder->database());
        }
        const auto log = std::make_unique<SharedMemory<Log>>();
        const std::chrono::microseconds after(random() % (migrates ? 100'000 : 600'000));
        const Clock::time_point killed = actAndKill(folder->path(), *log, random(), after, migrates);
        {
            History history(folder->path());
            EXPECT_FALSE(history.recovery());
            expectNothingStoredIsLost(history, *log, killed);
            EXPECT_EQ(history.load(10).path.size(), 2U) << "what version 1 held";
            (void)history.selectBranch(12);
            EXPECT_EQ(history.load(10).path.back().traced, 300U);
            for (const Backup &backup : history.backups())
                EXPECT_EQ(runSql(backup.file, "PRAGMA integrity_check"), "ok") << backup.name;
        }
        expectSoundFiles(folder->path());
    }
}

} // namespace
} // namespace bathyscope::storage::test
