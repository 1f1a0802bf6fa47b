// SPDX-License-Identifier: GPL-3.0-or-later
//
// Opening: versions, other programs' files, a second instance, damage.
#include "storage/database.h"
#include "storage/platform_folder.h"
#include "storage/schema.h"
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <sstream>

namespace bathyscope::storage::test {
namespace {

std::string bytesOf(const std::filesystem::path &file)
{
    std::ifstream stream(file, std::ios::binary);
    return (std::ostringstream() << stream.rdbuf()).str();
}

TEST(Opening, marksTheFileWithApplicationAndVersion)
{
    OneConversation one;
    one.close();
    EXPECT_EQ(runSql(one.folder.database(), "PRAGMA application_id"), std::to_string(kApplicationId));
    EXPECT_EQ(runSql(one.folder.database(), "PRAGMA user_version"), std::to_string(migrations().size()));
    EXPECT_EQ(runSql(one.folder.database(), "PRAGMA journal_mode"), "wal");
}

TEST(Opening, makesThePrivateFolder)
{
    TempFolder folder;
    const std::filesystem::path profile = folder.path() / "a" / "b";
    const History history(profile);
    EXPECT_EQ(std::filesystem::status(profile).permissions(), std::filesystem::perms::owner_all);
    EXPECT_FALSE(history.openedAfterCrash());
}

TEST(Opening, refusesANewerFileAndLeavesItUnchanged)
{
    OneConversation one;
    one.close();
    runSql(one.folder.database(), "PRAGMA user_version = 99");
    const std::string before = bytesOf(one.folder.database());
    EXPECT_THROW(one.reopen(), NewerDatabase);
    EXPECT_EQ(bytesOf(one.folder.database()), before);
}

TEST(Opening, refusesTheFileOfAnotherProgram)
{
    TempFolder folder;
    runSql(folder.database(), "CREATE TABLE recipes (name TEXT)");
    EXPECT_THROW(History{folder.path()}, Error);
    EXPECT_EQ(runSql(folder.database(), "SELECT count(*) FROM sqlite_master"), "1");
}

TEST(Opening, refusesASecondInstanceUntilTheFirstEnds)
{
    OneConversation one;
    EXPECT_THROW(History{one.folder.path()}, ProfileInUse);
    one.close();
    EXPECT_NO_THROW(History{one.folder.path()});
}

TEST(Opening, saysWhenTheFolderCannotBeUsed)
{
    TempFolder folder;
    std::ofstream(folder.path() / "file") << "x";
    EXPECT_THROW(History{folder.path() / "file" / "profile"}, MediumError);
}

TEST(Migrations, runEachStepOnceInOrder)
{
    TempFolder folder;
    constexpr std::array<Migration, 3> kSteps{
        {{"CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('one');"},
         {"INSERT INTO notes VALUES ('two');"},
         {"ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;"}}};
    Database database(folder.database().string());
    migrate(database, std::span(kSteps).first(1));
    migrate(database, kSteps);
    migrate(database, kSteps);
    EXPECT_EQ(database.integer("SELECT count(*) FROM notes WHERE pinned = 0"), 2);
    EXPECT_EQ(database.integer("PRAGMA user_version"), 3);
}

TEST(Migrations, leaveTheFileAtTheLastGoodStep)
{
    TempFolder folder;
    constexpr std::array<Migration, 2> kSteps{
        {{"CREATE TABLE notes (text TEXT);"},
         {"INSERT INTO notes VALUES ('half'); INSERT INTO none VALUES (1);"}}};
    Database database(folder.database().string());
    EXPECT_THROW(migrate(database, kSteps), Error);
    EXPECT_EQ(database.integer("PRAGMA user_version"), 1);
    EXPECT_EQ(database.integer("SELECT count(*) FROM notes"), 0);
}

/// A conversation whose reply has 600 tokens, thus three chunks, and one SQL statement of damage.
LoadedMessage loadDamaged(const std::string &damage)
{
    OneConversation one;
    const MessageId id = one.beginReply();
    for (int i = 0; i < 600; ++i)
        one.history().appendTokens(id, {plainToken("w" + std::to_string(i) + ' ')});
    one.history().finishReply(id, MessageState::Complete, {});
    one.close();
    runSql(one.folder.database(), damage);
    one.reopen();
    return one.lastMessage();
}

TEST(Damage, ofAChunkLeavesTheTokensBeforeAndTheWholeText)
{
    const std::array damages{"UPDATE token_chunks SET data = substr(data, 1, 100) WHERE first = 256",
                             "UPDATE token_chunks SET data = zeroblob(length(data)) WHERE first = 256",
                             "UPDATE token_chunks SET data = x'' WHERE first = 256",
                             "DELETE FROM token_chunks WHERE first = 256"};
    for (const char *damage : damages) {
        const LoadedMessage loaded = loadDamaged(damage);
        ASSERT_EQ(loaded.tokens.size(), 257U) << damage;
        EXPECT_EQ(loaded.tokens[255], plainToken("w255 "));
        EXPECT_EQ(loaded.tokens[256].id, -1);
        EXPECT_EQ(joined(loaded.tokens, Section::Answer), loaded.message.text);
        EXPECT_EQ(loaded.message.text.substr(loaded.message.text.size() - 5), "w599 ");
        EXPECT_NE(loaded.damage.find("from 256 on"), std::string::npos) << loaded.damage;
    }
}

TEST(Damage, ofASummaryLeavesTheMessage)
{
    for (const char *json :
         {"'{'", "'{\"finish\": 9}'", "'[]'", "'{\"finish\": 0, \"prompt_tokens\": \"x\"}'"}) {
        const LoadedMessage loaded = loadDamaged(std::string("UPDATE messages SET summary = ") + json);
        EXPECT_EQ(loaded.tokens.size(), 600U);
        EXPECT_FALSE(loaded.message.summary);
        EXPECT_NE(loaded.damage, "") << json;
    }
}

TEST(Damage, ofAStreamingReplyKeepsWhatCanBeRead)
{
    OneConversation one;
    const MessageId id = one.beginReply();
    one.history().appendTokens(id, {plainToken("first ")});
    one.history().appendTokens(id, {plainToken("second ")});
    one.history().appendTokens(id, {plainToken("third")});
    one.close();
    runSql(one.folder.database(), "UPDATE token_chunks SET data = x'00' WHERE first = 1");
    one.reopen();
    const LoadedMessage loaded = one.lastMessage();
    EXPECT_EQ(loaded.message.state, MessageState::Interrupted);
    EXPECT_EQ(loaded.message.text, "first third");
    EXPECT_EQ(joined(loaded.tokens, Section::Answer), "first third");
}

TEST(Damage, ofATreeIsAnError)
{
    OneConversation one;
    one.close();
    runSql(one.folder.database(), "UPDATE messages SET parent = id");
    one.reopen();
    EXPECT_THROW((void)one.history().load(one.conversation), Error);
    EXPECT_EQ(one.history().selectBranch(one.question), one.question);
}

TEST(Damage, ofAModelIsAnErrorThatNamesIt)
{
    OneConversation one;
    ModelInfo info;
    info.fingerprint = "f00d";
    info.vocabulary = std::make_shared<const Vocabulary>(Vocabulary{"a"});
    one.history().storeModel(info);
    one.close();
    runSql(one.folder.database(), "UPDATE models SET vocabulary = x'0102'");
    one.reopen();
    EXPECT_THROW((void)one.history().model("f00d"), Error);
}

TEST(Damage, ofTheFileIsFoundByTheCheck)
{
    OneConversation one;
    EXPECT_TRUE(one.history().checkIntegrity().empty());
    one.close();
    const auto size = std::filesystem::file_size(one.folder.database());
    std::fstream file(one.folder.database(), std::ios::in | std::ios::out | std::ios::binary);
    for (std::uintmax_t page = 4; page * 4096 < size; ++page) {
        file.seekp(static_cast<std::streamoff>(page * 4096));
        file << std::string(64, '\xFF');
    }
    file.close();
    try {
        EXPECT_FALSE(Database(one.folder.database().string()).findDamage().empty());
    } catch (const DamagedDatabase &error) {
        EXPECT_NE(std::string(error.what()).find("malformed"), std::string::npos) << error.what();
    }
}

TEST(ProfileFolder, followsTheDesktopSpecification)
{
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("HOME", "/home/mira", 1);
    EXPECT_EQ(defaultProfileFolder(), "/data/bathyscope");
    setenv("XDG_DATA_HOME", "relative", 1);
    EXPECT_EQ(defaultProfileFolder(), "/home/mira/.local/share/bathyscope");
    unsetenv("XDG_DATA_HOME");
    unsetenv("HOME");
    EXPECT_THROW((void)defaultProfileFolder(), Error);
}

} // namespace
} // namespace bathyscope::storage::test
