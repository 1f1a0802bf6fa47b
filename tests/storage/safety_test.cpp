// SPDX-License-Identifier: GPL-3.0-or-later
//
// Migration of older files, copies, restoring, recovery from damage, files that vanish, clocks that go back.
#include "storage/files.h"
#include "storage/half.h"
#include "storage/history_rows.h"
#include "storage/history_thread.h"
#include "storage/schema.h"
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

#include <fstream>
#include <future>
#include <sstream>

#include <unistd.h>

namespace bathyscope::storage::test {
namespace {

namespace fs = std::filesystem;

std::string bytesOf(const fs::path &file)
{
    std::ifstream stream(file, std::ios::binary);
    return (std::ostringstream() << stream.rdbuf()).str();
}

/// A profile as version 1 left it: "Ships" with two replies, one of them interrupted, and "Grüße".
class Version1 {
public:
    Version1()
    {
        fs::copy_file(fs::path(BATHYSCOPE_TEST_DATA) / "history" / "version-1.db", folder.database());
    }
    TempFolder folder;
};

TEST(Migration, fromVersion1KeepsEveryWordAndTrace)
{
    Version1 old;
    History history(old.folder.path());
    EXPECT_EQ(history.conversations().size(), 2U);
    (void)history.selectBranch(12);
    const LoadedConversation ships = history.load(10);
    EXPECT_EQ(ships.info.title, "Ships");
    EXPECT_TRUE(ships.info.pinned);
    const LoadedMessage &reply = ships.path.back();
    ASSERT_EQ(reply.tokens.size(), 300U);
    EXPECT_EQ(reply.traced, 300U);
    EXPECT_EQ(reply.damage, "");
    for (int i = 0; i < 300; ++i) {
        TokenRecord expected =
            plainToken("w" + std::to_string(i) + " ", i < 100 ? Section::Reasoning : Section::Answer);
        expected.logProb = -0.1F * static_cast<float>(i % 7);
        expected.seconds = 0.01F * static_cast<float>(i);
        expected.restMass = 0.125F;
        ASSERT_EQ(reply.tokens[static_cast<std::size_t>(i)], expected);
    }
    (void)history.selectBranch(13);
    const LoadedMessage interrupted = history.load(10).path.back();
    EXPECT_EQ(interrupted.message.state, MessageState::Interrupted);
    EXPECT_EQ(interrupted.tokens.size(), 30U);
    EXPECT_EQ(interrupted.traced, 30U);
    EXPECT_EQ(history.load(20).path.back().message.reasoning, "Mariana Trench");
    EXPECT_EQ(history.search({.text = "Trieste"}).size(), 1U);
    ASSERT_TRUE(history.model("f00d"));
    EXPECT_EQ(history.model("f00d")->vocabulary->size(), 2U);
}

TEST(Migration, makesACopyFirst)
{
    Version1 old;
    std::vector<Backup> backups;
    {
        History history(old.folder.path());
        backups = history.backups();
    }
    ASSERT_EQ(backups.size(), 1U);
    EXPECT_EQ(backups[0].name.rfind("history-version-1-", 0), 0U) << backups[0].name;
    EXPECT_FALSE(backups[0].daily);
    EXPECT_EQ(runSql(backups[0].file, "PRAGMA user_version"), "1");
    EXPECT_EQ(runSql(backups[0].file, "PRAGMA integrity_check"), "ok");
    EXPECT_EQ(runSql(old.folder.database(), "PRAGMA user_version"), std::to_string(migrations().size()));
    const History again(old.folder.path());
    EXPECT_EQ(again.backups().size(), 1U);
}

TEST(Migration, thatCannotMakeItsCopyChangesNothing)
{
    Version1 old;
    std::ofstream(old.folder.path() / "backups") << "in the way";
    EXPECT_THROW(History{old.folder.path()}, Error);
    EXPECT_EQ(runSql(old.folder.database(), "PRAGMA user_version"), "1");
    fs::remove(old.folder.path() / "backups");
    EXPECT_EQ(History(old.folder.path()).load(10).path.back().tokens.size(), 30U);
}

TEST(NewerFile, canBeReadOnRequest)
{
    OneConversation one;
    const MessageId reply = one.beginReply();
    one.history().appendTokens(reply, {plainToken("deep")});
    one.history().finishReply(reply, MessageState::Complete, {});
    one.close();
    runSql(one.folder.database(), "PRAGMA user_version = 99");
    const std::string before = bytesOf(one.folder.database());
    try {
        one.reopen();
        FAIL() << "a newer file was opened";
    } catch (const NewerDatabase &error) {
        EXPECT_NE(std::string(error.what()).find("found version 99"), std::string::npos) << error.what();
    }
    {
        const std::unique_ptr<History> history = History::readOnly(one.folder.path());
        const LoadedMessage loaded = history->load(one.conversation).path.back();
        EXPECT_EQ(loaded.message.text, "deep");
        EXPECT_EQ(loaded.traced, 1U);
        EXPECT_EQ(history->search({.text = "dive"}).size(), 1U);
        EXPECT_THROW(history->rename(one.conversation, "x"), Error);
        EXPECT_THROW(history->restore("x"), Error);
        EXPECT_FALSE(history->backUpDaily());
    }
    EXPECT_EQ(bytesOf(one.folder.database()), before);
}

TEST(ReadOnlyFolder, canBeReadAndIsTold)
{
    OneConversation one;
    one.close();
    fs::permissions(one.folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
    if (::access(one.folder.path().c_str(), W_OK) != 0) { // not for root
        EXPECT_THROW(one.reopen(), MediumError);
    }
    EXPECT_EQ(History::readOnly(one.folder.path())->load(one.conversation).path.size(), 1U);
}

TEST(Backups, areMadeOnceADayAndSevenStay)
{
    OneConversation one;
    const fs::path folder = one.folder.path() / "backups";
    fs::create_directories(folder);
    for (int day = 1; day <= 9; ++day)
        std::ofstream(folder / ("history-2001-01-0" + std::to_string(day) + ".db")) << "old";
    std::ofstream(folder / "history-version-1-2001-01-01-000000.db") << "stays";
    EXPECT_TRUE(one.history().backUpDaily());
    EXPECT_FALSE(one.history().backUpDaily());
    const std::vector<Backup> backups = one.history().backups();
    ASSERT_EQ(backups.size(), 8U);
    EXPECT_EQ(backups[0].name, "history-" + today());
    EXPECT_EQ(backups[6].name, "history-2001-01-04");
    EXPECT_FALSE(backups[7].daily);
    EXPECT_EQ(runSql(backups[0].file, "SELECT title FROM conversations"), "Ships");
}

TEST(Backups, areRestoredAndWhatWasThereIsKept)
{
    OneConversation one;
    ASSERT_TRUE(one.history().backUpDaily());
    const std::string backup = one.history().backups().front().file;
    one.history().rename(one.conversation, "later");
    one.history().restore(backup);
    EXPECT_EQ(one.history().load(one.conversation).info.title, "Ships");
    one.history().rename(one.conversation, "goes on");
    one.reopen();
    EXPECT_EQ(one.history().load(one.conversation).info.title, "goes on");
    std::string kept;
    for (const Backup &each : one.history().backups())
        if (!each.daily)
            kept = each.file;
    EXPECT_EQ(runSql(kept, "SELECT title FROM conversations"), "later");
}

TEST(Backups, ofAnOlderVersionAreBroughtUpToDate)
{
    OneConversation one;
    one.history().restore(std::string(BATHYSCOPE_TEST_DATA) + "/history/version-1.db");
    EXPECT_EQ(one.history().conversations().size(), 2U);
    EXPECT_EQ(one.history().load(10).path.back().message.state, MessageState::Interrupted);
    EXPECT_TRUE(one.history().checkIntegrity().empty());
}

TEST(Backups, thatCannotBeUsedChangeNothing)
{
    OneConversation one;
    const fs::path bad = one.folder.path() / "bad.db";
    std::ofstream(bad) << std::string(5000, 'x');
    EXPECT_THROW(one.history().restore(bad.string()), Error);
    fs::remove(bad);
    runSql(bad, "PRAGMA user_version = 1; CREATE TABLE recipes (name TEXT)");
    EXPECT_THROW(one.history().restore(bad.string()), Error);
    EXPECT_THROW(one.history().restore((one.folder.path() / "none.db").string()), Error);
    EXPECT_EQ(one.history().load(one.conversation).info.title, "Ships");
}

/// Fills a history and overwrites pages of its closed file; every `step`th from `first` on.
void damagePages(OneConversation &one, int first, int step)
{
    one.history().transaction([&] {
        for (int i = 0; i < 600; ++i)
            one.history().addMessage({.id = one.ids.next(),
                                      .conversation = one.conversation,
                                      .parent = one.question,
                                      .text = "message " + std::to_string(i) + std::string(300, ' ')});
    });
    one.close();
    const auto pages = static_cast<int>(fs::file_size(one.folder.database()) / 4096);
    std::fstream file(one.folder.database(), std::ios::in | std::ios::out | std::ios::binary);
    for (int page = first; page < pages; page += step) {
        file.seekp(static_cast<std::streamoff>(page) * 4096);
        file << std::string(4096, '\x5A');
    }
    file.close();
    std::ofstream(one.folder.path() / "history.check") << '\n';
}

TEST(Recovery, savesWhatCanBeReadAndTellsWhatIsLost)
{
    OneConversation one;
    damagePages(one, 40, 17);
    const std::string damaged = bytesOf(one.folder.database());
    one.reopen();
    const std::optional<Recovery> recovery = one.history().recovery();
    ASSERT_TRUE(recovery);
    EXPECT_EQ(bytesOf(recovery->damagedFile), damaged) << "the damaged file is kept as it was";
    EXPECT_GT(recovery->messages, 300);
    EXPECT_LT(recovery->messages, 601);
    EXPECT_GT(recovery->lostMessages + recovery->messages, 400);
    EXPECT_NE(recovery->text().find("set aside as " + recovery->damagedFile), std::string::npos);
    EXPECT_TRUE(one.history().checkIntegrity().empty());
    EXPECT_EQ(one.history().conversations().front().messages, recovery->messages);
    EXPECT_FALSE(one.history().load(one.conversation).path.empty());
    EXPECT_EQ(one.history().search({.text = "message", .limit = 1000}).size(),
              static_cast<std::size_t>(recovery->messages) - 1);
    one.reopen();
    EXPECT_FALSE(one.history().recovery()) << "told once";
    one.close();
    EXPECT_EQ(runSql(one.folder.database(), "PRAGMA integrity_check"), "ok");
    EXPECT_EQ(runSql(one.folder.database(), "PRAGMA foreign_key_check"), "");
}

TEST(Recovery, ofAnyOnePageNeverCrashesOrLeavesADamagedHistory)
{
    for (int page = 1; page < 60; page += 3) {
        OneConversation one;
        damagePages(one, page, 1'000'000);
        one.reopen();
        EXPECT_TRUE(one.history().checkIntegrity().empty()) << page;
        for (const Conversation &conversation : one.history().conversations())
            EXPECT_NO_THROW((void)one.history().load(conversation.id)) << page;
        EXPECT_NO_THROW(one.history().create({.id = 7})) << page;
    }
}

TEST(Recovery, takesTheNewestCopyWhenNothingCanBeRead)
{
    OneConversation one;
    ASSERT_TRUE(one.history().backUpDaily());
    one.close();
    std::ofstream(one.folder.database()) << std::string(5000, 'x');
    one.reopen();
    ASSERT_TRUE(one.history().recovery());
    EXPECT_NE(one.history().recovery()->usedBackup, "");
    EXPECT_EQ(one.history().load(one.conversation).info.title, "Ships");
    EXPECT_EQ(bytesOf(one.history().recovery()->damagedFile), std::string(5000, 'x'));
}

TEST(Recovery, isReportedToThePerson)
{
    OneConversation one;
    one.close();
    std::ofstream(one.folder.database()) << std::string(5000, 'x');
    std::string told;
    {
        HistoryThread thread(
            std::make_unique<History>(one.folder.path()),
            {.failed = [&](const std::string &text) { told = text; }, .refused = {}, .recovered = {}});
        thread.flush();
    }
    EXPECT_NE(told.find("lost unless you have a copy"), std::string::npos) << told;
}

TEST(VanishedFile, isPutBackWithAllItHeld)
{
    OneConversation one;
    const MessageId reply = one.beginReply();
    one.history().appendTokens(reply, {plainToken("first ")});
    fs::remove_all(one.folder.path());
    one.history().appendTokens(reply, {plainToken("second")});
    one.history().finishReply(reply, MessageState::Complete, {});
    one.reopen();
    const LoadedMessage loaded = one.lastMessage();
    EXPECT_EQ(loaded.message.text, "first second");
    EXPECT_EQ(loaded.traced, 2U);
    EXPECT_TRUE(one.history().checkIntegrity().empty());
}

TEST(VanishedFile, thatWasReplacedIsPutBackAndTheOtherKept)
{
    OneConversation one;
    fs::rename(one.folder.database(), one.folder.path() / "moved.db");
    std::ofstream(one.folder.database()) << "another";
    one.history().rename(one.conversation, "still here");
    one.reopen();
    EXPECT_EQ(one.history().load(one.conversation).info.title, "still here");
    std::size_t foreign = 0;
    for (const fs::directory_entry &entry : fs::directory_iterator(one.folder.path()))
        if (entry.path().filename().string().rfind("history-foreign-", 0) == 0)
            foreign += bytesOf(entry.path()) == "another" ? 1 : 0;
    EXPECT_EQ(foreign, 1U);
}

TEST(VanishedFile, isPutBackOnceItsPlaceIsUsableAgain)
{
    OneConversation one;
    const fs::path away = one.folder.path().string() + "-away";
    fs::rename(one.folder.path(), away);
    std::ofstream(one.folder.path()) << "in the way";
    EXPECT_THROW(one.history().rename(one.conversation, "later"), MediumError);
    EXPECT_EQ(one.history().load(one.conversation).info.title, "Ships") << "reads go on";
    fs::remove(one.folder.path());
    one.history().rename(one.conversation, "later");
    one.reopen();
    EXPECT_EQ(one.history().load(one.conversation).info.title, "later");
    fs::remove_all(away);
}

TEST(Clock, setBackKeepsOrderAndTakesMessages)
{
    OneConversation one;
    one.close();
    // As if all had been written in a year to come.
    runSql(one.folder.database(),
           "PRAGMA foreign_keys = OFF; UPDATE conversations SET id = id * 2, updated = updated * 2, leaf = "
           "leaf * 2;"
           "UPDATE messages SET id = id * 2, conversation = conversation * 2, created = created * 2");
    HistoryThread thread(std::make_unique<History>(one.folder.path()), {});
    const ConversationId next = thread.newConversationId();
    const MessageId answer = thread.newMessageId();
    EXPECT_GT(answer, one.question * 2);
    std::vector<Conversation> list;
    thread.write([&](History &history) {
        history.addMessage(
            {.id = answer, .conversation = one.conversation * 2, .parent = one.question * 2, .text = "late"});
        history.create({.id = next, .title = "newest"});
    });
    thread.read<std::vector<Conversation>>([](History &history) { return history.conversations(); },
                                           [&](std::vector<Conversation> all) { list = std::move(all); });
    thread.flush();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[0].title, "newest");
    EXPECT_EQ(list[1].messages, 2);
}

TEST(Clock, setBackIsToldUntilItIsRight)
{
    OneConversation one;
    one.close();
    // As if the last message had been written a little more than what is tolerated after this moment.
    runSql(one.folder.database(), "UPDATE conversations SET updated = " + std::to_string(now() + 61'500));
    std::promise<std::string> behind;
    std::promise<void> right;
    HistoryThread::Events events;
    events.clockBehind = [&](const std::string &text) {
        text.empty() ? right.set_value() : behind.set_value(text);
    };
    HistoryThread thread(std::make_unique<History>(one.folder.path()), events);
    EXPECT_NE(behind.get_future().get(), "");
    EXPECT_EQ(right.get_future().wait_for(std::chrono::minutes(1)), std::future_status::ready);
}

TEST(Folders, holdConversationsAndLeaveThemWhenTheyGo)
{
    OneConversation one;
    one.history().createFolder({.id = 5, .name = "b"});
    one.history().createFolder({.id = 6, .name = "A"});
    one.history().moveToFolder(one.conversation, 5);
    EXPECT_THROW(one.history().moveToFolder(one.conversation, 99), Error);
    EXPECT_THROW(one.history().renameFolder(99, "x"), Error);
    EXPECT_THROW(one.history().removeFolder(99), Error);
    one.history().renameFolder(5, "Sea");
    one.reopen();
    EXPECT_EQ(one.history().folders(), (std::vector<Folder>{{6, "A"}, {5, "Sea"}}));
    EXPECT_EQ(one.history().load(one.conversation).info.folder, 5);
    one.history().removeFolder(5);
    EXPECT_EQ(one.history().conversations().front().folder, std::nullopt);
    one.history().moveToFolder(one.conversation, 6);
    one.history().moveToFolder(one.conversation, std::nullopt);
    EXPECT_EQ(one.history().conversations().front().folder, std::nullopt);
}

} // namespace
} // namespace bathyscope::storage::test
