// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/history.h"

#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace bathyscope::storage::test {
namespace {

std::vector<std::string> titles(History &history)
{
    std::vector<std::string> all;
    for (const Conversation &conversation : history.conversations())
        all.push_back(conversation.title);
    return all;
}

std::vector<MessageId> pathIds(const LoadedConversation &loaded)
{
    std::vector<MessageId> ids;
    for (const LoadedMessage &message : loaded.path)
        ids.push_back(message.message.id);
    return ids;
}

GenerationSummary someSummary()
{
    return {.finish = FinishReason::MaxTokens,
            .error = "none",
            .promptTokens = 12,
            .reusedTokens = 3,
            .generatedTokens = 1000,
            .contextUsed = 1012,
            .prefillSeconds = 0.1,
            .decodeSeconds = 1.0 / 3.0};
}

TEST(Conversations, comeBackAsTheyWere)
{
    OneConversation one;
    const Conversation stored{.id = one.ids.next(),
                              .title = "Grüße, 日本\n\"quoted\"",
                              .systemPrompt = "Be brief.",
                              .pinned = true,
                              .created = 1234};
    one.history().create(stored);
    one.reopen();
    Conversation expected = stored;
    expected.updated = stored.created;
    EXPECT_EQ(one.history().load(stored.id).info, expected);
    EXPECT_TRUE(one.history().load(stored.id).path.empty());
}

TEST(Conversations, areListedPinnedFirstThenNewestFirst)
{
    OneConversation one;
    one.history().create({.id = 1, .title = "oldest", .created = 100});
    one.history().create({.id = 2, .title = "old", .created = 200});
    one.history().create({.id = 3, .title = "pinned", .created = 50});
    one.history().setPinned(3, true);
    EXPECT_EQ(titles(one.history()), (std::vector<std::string>{"pinned", "Ships", "old", "oldest"}));
    one.history().addMessage({.id = one.ids.next(), .conversation = 1, .text = "hello"});
    one.history().setPinned(3, false);
    const std::vector<std::string> now = titles(one.history());
    EXPECT_EQ(now.front(), "oldest");
    EXPECT_EQ(now.back(), "pinned");
}

TEST(Conversations, areRenamedAndGetASystemPrompt)
{
    OneConversation one;
    one.history().rename(one.conversation, "Submarines");
    one.history().setSystemPrompt(one.conversation, "Answer in rhyme.");
    one.reopen();
    const Conversation info = one.history().load(one.conversation).info;
    EXPECT_EQ(info.title, "Submarines");
    EXPECT_EQ(info.systemPrompt, "Answer in rhyme.");
    EXPECT_EQ(info.messages, 1);
}

TEST(Conversations, thatAreNotThereAreAnError)
{
    OneConversation one;
    EXPECT_THROW(one.history().rename(1, "x"), Error);
    EXPECT_THROW(one.history().setPinned(1, true), Error);
    EXPECT_THROW(one.history().setSystemPrompt(1, "x"), Error);
    EXPECT_THROW(one.history().remove(1), Error);
    EXPECT_THROW((void)one.history().load(1), Error);
    EXPECT_THROW(one.history().create({.id = one.conversation}), Error) << "an id is used once";
    EXPECT_THROW(one.history().addMessage({.id = 5, .conversation = 1}), Error);
}

TEST(Conversations, takeAllTheyHoldWithThem)
{
    OneConversation one;
    const MessageId reply = one.beginReply();
    one.history().appendTokens(reply, {plainToken("bathysphere")});
    one.history().finishReply(reply, MessageState::Complete, {});
    MessageId parent = reply;
    // More turns than SQLite lets triggers nest.
    one.history().transaction([&] {
        for (int turn = 0; turn < 1500; ++turn) {
            const MessageId id = one.ids.next();
            one.history().addMessage(
                {.id = id, .conversation = one.conversation, .parent = parent, .text = "deeper"});
            parent = id;
        }
    });
    one.history().create({.id = 7, .title = "stays"});
    one.history().addMessage({.id = 8, .conversation = 7, .text = "deeper, too"});
    one.history().remove(one.conversation);
    EXPECT_EQ(titles(one.history()), std::vector<std::string>{"stays"});
    EXPECT_TRUE(one.history().search({.text = "bathysphere"}).empty());
    EXPECT_EQ(one.history().search({.text = "deeper"}).size(), 1U);
    one.close();
    EXPECT_EQ(runSql(one.folder.database(), "SELECT count(*) FROM messages"), "1");
    EXPECT_EQ(runSql(one.folder.database(), "SELECT count(*) FROM token_chunks"), "0");
    EXPECT_EQ(runSql(one.folder.database(), "PRAGMA integrity_check"), "ok");
    EXPECT_EQ(runSql(one.folder.database(), "PRAGMA foreign_key_check"), "");
}

TEST(Messages, comeBackAsTheyWere)
{
    OneConversation one;
    const StoredMessage stored{.id = one.ids.next(),
                               .conversation = one.conversation,
                               .parent = one.question,
                               .role = Role::System,
                               .state = MessageState::Failed,
                               .text = std::string("with a \0 inside", 15),
                               .reasoning = "why",
                               .error = "no room",
                               .created = 99,
                               .model = "abc",
                               .sampling = SamplingParameters{.temperature = 0.1F,
                                                              .topK = 40,
                                                              .topP = 0.95F,
                                                              .minP = 0.05F,
                                                              .repetitionPenalty = 1.1F,
                                                              .seed = 0xFFFF'FFFF'FFFF'FFFFULL,
                                                              .maxTokens = 77},
                               .summary = someSummary()};
    one.history().addMessage(stored);
    one.reopen();
    EXPECT_EQ(one.lastMessage().message, stored);
}

TEST(Messages, withTheSameParentAreSiblingsAndOneOfThemIsCurrent)
{
    OneConversation one;
    const MessageId first = one.beginReply();
    one.history().finishReply(first, MessageState::Complete, {});
    const MessageId next = one.ids.next();
    one.history().addMessage(
        {.id = next, .conversation = one.conversation, .parent = first, .text = "And then?"});
    const MessageId again = one.beginReply();
    one.history().finishReply(again, MessageState::Stopped, {});

    LoadedConversation loaded = one.history().load(one.conversation);
    EXPECT_EQ(pathIds(loaded), (std::vector<MessageId>{one.question, again}));
    EXPECT_EQ(loaded.path[1].siblings, (std::vector<MessageId>{first, again}));
    EXPECT_EQ(loaded.path[1].siblingIndex, 1U);
    EXPECT_EQ(loaded.path[0].siblings, std::vector<MessageId>{one.question});

    EXPECT_EQ(one.history().selectBranch(first), next);
    one.reopen();
    loaded = one.history().load(one.conversation);
    EXPECT_EQ(pathIds(loaded), (std::vector<MessageId>{one.question, first, next}));
    EXPECT_EQ(loaded.path[1].siblingIndex, 0U);

    const MessageId edited = one.ids.next();
    one.history().addMessage({.id = edited, .conversation = one.conversation, .text = "How far?"});
    loaded = one.history().load(one.conversation);
    EXPECT_EQ(loaded.path.back().siblings, (std::vector<MessageId>{one.question, edited}));
    EXPECT_EQ(one.history().selectBranch(one.question), again) << "the newest path through the message";
    EXPECT_THROW((void)one.history().selectBranch(3), Error);
}

TEST(Messages, cannotAnswerALaterOneOrAnotherConversation)
{
    OneConversation one;
    EXPECT_THROW(one.history().addMessage(
                     {.id = one.question - 1, .conversation = one.conversation, .parent = one.question}),
                 Error);
    one.history().create({.id = 7});
    EXPECT_THROW(one.history().addMessage({.id = one.ids.next(), .conversation = 7, .parent = one.question}),
                 Error);
    EXPECT_TRUE(one.history().load(7).path.empty());
}

TEST(Replies, comeBackAsTheyWereStreamed)
{
    OneConversation one;
    std::mt19937 random(1);
    for (int round = 0; round < 30; ++round) {
        const MessageId id = one.beginReply();
        std::vector<TokenRecord> all;
        for (std::size_t batches = random() % 30; batches > 0; --batches) {
            const std::vector<TokenRecord> batch =
                randomTokens(random, random() % (batches % 10 == 0 ? 700 : 40));
            all.insert(all.end(), batch.begin(), batch.end());
            one.history().appendTokens(id, batch);
        }
        EXPECT_EQ(one.lastMessage().tokens, all);
        EXPECT_EQ(one.lastMessage().message.state, MessageState::Streaming);
        one.history().finishReply(id, MessageState::Complete, someSummary());
        one.reopen();
        const LoadedMessage loaded = one.lastMessage();
        EXPECT_EQ(loaded.tokens, all);
        EXPECT_EQ(loaded.damage, "");
        EXPECT_EQ(loaded.message.text, joined(all, Section::Answer));
        EXPECT_EQ(loaded.message.reasoning, joined(all, Section::Reasoning));
        EXPECT_EQ(loaded.message.summary, someSummary());
        EXPECT_EQ(loaded.message.model, "f00d");
    }
}

TEST(Replies, thatEndInsideACharacterKeepTheirBytes)
{
    OneConversation one;
    const MessageId id = one.beginReply();
    one.history().appendTokens(id, {plainToken("\xF0\x9F"), plainToken("\x90\x9F \xE6\x97")});
    one.history().finishReply(id, MessageState::Stopped, {}, "stopped");
    EXPECT_EQ(one.lastMessage().message.text, "\xF0\x9F\x90\x9F \xE6\x97");
    EXPECT_EQ(one.lastMessage().tokens[1].bytes, "\x90\x9F \xE6\x97");
    EXPECT_EQ(one.lastMessage().message.error, "stopped");
}

TEST(Replies, mayBeEmpty)
{
    OneConversation one;
    const MessageId id = one.beginReply();
    one.history().appendTokens(id, {});
    one.history().finishReply(id, MessageState::Failed, {}, "the device vanished");
    const LoadedMessage loaded = one.lastMessage();
    EXPECT_TRUE(loaded.tokens.empty());
    EXPECT_EQ(loaded.message.text, "");
    EXPECT_EQ(loaded.message.state, MessageState::Failed);
}

TEST(Replies, ofTenThousandTokensEndUpInFullChunks)
{
    OneConversation one;
    std::mt19937 random(2);
    const MessageId id = one.beginReply();
    std::vector<TokenRecord> all;
    one.history().transaction([&] {
        while (all.size() < 10'000) {
            const std::vector<TokenRecord> batch(1 + random() % 20,
                                                 plainToken(std::to_string(all.size()) + ' '));
            all.insert(all.end(), batch.begin(), batch.end());
            one.history().appendTokens(id, batch);
        }
    });
    one.history().finishReply(id, MessageState::Complete, {});
    EXPECT_EQ(one.lastMessage().tokens, all);
    one.close();
    EXPECT_EQ(runSql(one.folder.database(), "SELECT count(*) FROM token_chunks WHERE count = 256"),
              std::to_string(all.size() / 256));
}

TEST(Replies, takeTokensOnlyWhileTheyStream)
{
    OneConversation one;
    const MessageId id = one.beginReply();
    one.history().finishReply(id, MessageState::Complete, {});
    EXPECT_THROW(one.history().appendTokens(id, {plainToken("late")}), Error);
    EXPECT_THROW(one.history().finishReply(id, MessageState::Complete, {}), Error);
    EXPECT_THROW(one.history().appendTokens(one.question, {plainToken("x")}), Error);
    EXPECT_THROW(one.history().addMessage({.id = one.ids.next(),
                                           .conversation = one.conversation,
                                           .role = Role::Assistant,
                                           .state = MessageState::Streaming}),
                 Error);
}

TEST(Replies, withoutTokensShowTheirText)
{
    OneConversation one;
    one.history().addMessage({.id = one.ids.next(),
                              .conversation = one.conversation,
                              .parent = one.question,
                              .role = Role::Assistant,
                              .text = "923 m",
                              .reasoning = "Otis Barton"});
    const LoadedMessage loaded = one.lastMessage();
    ASSERT_EQ(loaded.tokens.size(), 2U);
    EXPECT_EQ(loaded.tokens[0].bytes, "Otis Barton");
    EXPECT_EQ(loaded.tokens[0].section, Section::Reasoning);
    EXPECT_EQ(loaded.tokens[1].bytes, "923 m");
    EXPECT_EQ(loaded.tokens[1].id, -1);
}

TEST(Transactions, happenAsAWholeOrNotAtAll)
{
    OneConversation one;
    EXPECT_THROW(one.history().transaction([&] {
        one.history().rename(one.conversation, "half");
        one.history().rename(1, "not there");
    }),
                 Error);
    EXPECT_EQ(titles(one.history()), std::vector<std::string>{"Ships"});
    const MessageId id = one.beginReply();
    EXPECT_THROW(one.history().transaction([&] {
        one.history().appendTokens(id, {plainToken("half")});
        throw Error("no");
    }),
                 Error);
    EXPECT_TRUE(one.lastMessage().tokens.empty());
}

TEST(Models, comeBackWithTheirVocabulary)
{
    OneConversation one;
    ModelInfo info;
    info.name = "builtin";
    info.path = "/models/builtin";
    info.architecture = "deepseek_v3";
    info.dtype = "FP8";
    info.device = "CPU · 2 threads";
    info.fingerprint = "f00d";
    info.parameters = 671'026'419'200ULL;
    info.activeParameters = 37'000'000'000ULL;
    info.layers = 5;
    info.moeLayers = {1, 2, 3, 4};
    info.experts = 16;
    info.expertsPerToken = 4;
    info.contextLength = 8192;
    info.cacheBytesPerToken = 12'345;
    info.defaults.temperature = 0.6F;
    info.defaults.seed = 3;
    info.vocabulary =
        std::make_shared<const Vocabulary>(Vocabulary{"a", "\xF0\x9F", "", std::string("\0x", 2)});
    one.history().storeModel(info);
    info.device = "CUDA";
    const auto vocabulary = info.vocabulary;
    info.vocabulary = nullptr;
    one.history().storeModel(info);
    one.reopen();

    const std::optional<ModelInfo> back = one.history().model("f00d");
    ASSERT_TRUE(back);
    ASSERT_TRUE(back->vocabulary);
    EXPECT_EQ(*back->vocabulary, *vocabulary);
    EXPECT_EQ(back->device, "CUDA");
    EXPECT_EQ(std::tie(back->name, back->path, back->architecture, back->dtype, back->fingerprint),
              std::tie(info.name, info.path, info.architecture, info.dtype, info.fingerprint));
    EXPECT_EQ(
        std::tie(back->parameters, back->activeParameters, back->layers, back->moeLayers, back->experts),
        std::tie(info.parameters, info.activeParameters, info.layers, info.moeLayers, info.experts));
    EXPECT_EQ(std::tie(back->expertsPerToken, back->contextLength, back->cacheBytesPerToken, back->defaults),
              std::tie(info.expertsPerToken, info.contextLength, info.cacheBytesPerToken, info.defaults));
    EXPECT_FALSE(one.history().model("unknown"));
}

TEST(Ids, ascendAndAreUnique)
{
    IdSource ids;
    std::int64_t last = 0;
    for (int i = 0; i < 100'000; ++i) {
        const std::int64_t id = ids.next();
        ASSERT_GT(id, last);
        last = id;
    }
}

} // namespace
} // namespace bathyscope::storage::test
