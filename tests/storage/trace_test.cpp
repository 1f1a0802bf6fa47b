// SPDX-License-Identifier: GPL-3.0-or-later
//
// Traces: their packed form, what they take, their limits, and that no word depends on them.
#include "storage/crc32.h"
#include "storage/schema.h"
#include "storage/trace_blob.h"
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

namespace bathyscope::storage::test {
namespace {

TEST(Half, isIeee754Binary16)
{
    EXPECT_EQ(toHalf(1.0F), 0x3C00);
    EXPECT_EQ(toHalf(-2.0F), 0xC000);
    EXPECT_EQ(toHalf(65504.0F), 0x7BFF);
    EXPECT_EQ(toHalf(65520.0F), 0x7C00);
    EXPECT_EQ(toHalf(-std::numeric_limits<float>::infinity()), 0xFC00);
    EXPECT_EQ(toHalf(-0.0F), 0x8000);
    EXPECT_EQ(toHalf(0x1p-24F), 0x0001);
    EXPECT_EQ(toHalf(0x1p-25F), 0x0000) << "a tie goes to even";
    EXPECT_EQ(toHalf(1.0F + 0x1p-11F), 0x3C00) << "a tie goes to even";
    EXPECT_EQ(toHalf(1.0F + 3 * 0x1p-11F), 0x3C02);
    EXPECT_TRUE(std::isnan(fromHalf(toHalf(std::numeric_limits<float>::quiet_NaN()))));
    EXPECT_TRUE(std::signbit(fromHalf(0x8000)));
}

TEST(Half, everyPatternComesBack)
{
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const float value = fromHalf(static_cast<std::uint16_t>(bits));
        if (!std::isnan(value)) {
            ASSERT_EQ(toHalf(value), bits);
        }
    }
}

TEST(Half, losesNoMoreThanPromised)
{
    std::mt19937 random(1);
    for (int i = 0; i < 100'000; ++i) {
        const float value = -std::exp(std::uniform_real_distribution<float>(-9, 11)(random));
        ASSERT_LE(std::fabs(asStored(value) - value), kHalfRelativeError * std::fabs(value)) << value;
    }
}

TraceBlob unpack(const std::vector<TokenRecord> &tokens)
{
    return unpackTraces(packTraces("f00d", tokens));
}

TEST(TraceBlob, anyTracesComeBackAsRounded)
{
    std::mt19937 random(2);
    for (int round = 0; round < 100; ++round) {
        const std::vector<TokenRecord> tokens = randomTokens(random, random() % 257);
        TraceBlob blob = unpack(tokens);
        EXPECT_EQ(blob.model, "f00d");
        ASSERT_EQ(blob.traces.size(), tokens.size());
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            TokenRecord token = wordsOf(tokens[i]);
            addTrace(token, std::move(blob.traces[i]));
            ASSERT_EQ(token, tokens[i]);
        }
    }
}

TEST(TraceBlob, theChosenTokensValueStaysExact)
{
    TokenRecord token = plainToken("x");
    token.logProb = -1.2345678F;
    token.top = {{token.id, token.logProb}, {99, -1.2345678F}};
    TokenRecord back = wordsOf(token);
    addTrace(back, unpack({token}).traces.front());
    EXPECT_EQ(back.top[0].logProb, -1.2345678F);
    EXPECT_NE(back.top[1].logProb, -1.2345678F);
    EXPECT_NEAR(back.top[1].logProb, -1.2345678F, 1.2345678F * kHalfRelativeError);
}

TEST(TraceBlob, damageIsNoticed)
{
    std::mt19937 random(3);
    const std::string blob = packTraces("f00d", randomTokens(random, 3));
    for (std::size_t bit = 0; bit < blob.size() * 8; ++bit) {
        std::string damaged = blob;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_THROW((void)unpackTraces(damaged), Error) << "bit " << bit;
    }
    for (std::size_t size = 0; size < blob.size(); ++size) {
        std::string body = blob.substr(4, size);
        const std::uint32_t checksum = crc32(body);
        std::string forged;
        for (unsigned i = 0; i < 4; ++i)
            forged += static_cast<char>(checksum >> (8 * i));
        if (body.size() + 4 < blob.size()) {
            EXPECT_THROW((void)unpackTraces(forged + body), Error) << size;
        }
    }
}

TEST(TraceBlob, blobsAreJoinedInOrderOnlyWhenTheyBelongTogether)
{
    std::mt19937 random(4);
    const std::vector<TokenRecord> tokens = randomTokens(random, 30);
    const std::span<const TokenRecord> all(tokens);
    const std::vector<std::string> parts{packTraces("a", all.first(7)), packTraces("a", all.subspan(7))};
    EXPECT_EQ(joinTraces(parts), packTraces("a", tokens));
    EXPECT_THROW((void)joinTraces(std::vector{parts[0], packTraces("b", all)}), Error);
    EXPECT_THROW((void)joinTraces(std::vector<std::string>(40, parts[0])), Error);
}

/// A token of a model with `layers` MoE layers: all ids equally likely, as the packed size depends on them.
TokenRecord tracedToken(std::mt19937 &random, int vocabulary, int layers, int chosen, int experts)
{
    const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
    TokenRecord token;
    token.id = below(vocabulary);
    token.bytes = " word";
    for (int i = 0; i < 20; ++i)
        token.top.push_back({below(vocabulary), -0.1F * static_cast<float>(i)});
    for (int i = 0; i < layers * chosen; ++i)
        token.experts.push_back({static_cast<std::uint16_t>(below(experts)), 0.3F});
    return token;
}

/// Bytes a token in the file of traces, streamed in batches as a window does.
double bytesPerToken(int vocabulary, int layers, int chosen, int experts)
{
    constexpr int kTokens = 256 * 20;
    OneConversation one;
    const MessageId id = one.beginReply();
    std::mt19937 random(5);
    const std::int64_t before = one.history().traceBytes();
    for (int i = 0; i < kTokens; i += 16) {
        std::vector<TokenRecord> batch;
        for (int k = 0; k < 16; ++k)
            batch.push_back(tracedToken(random, vocabulary, layers, chosen, experts));
        one.history().appendTokens(id, batch);
    }
    one.history().finishReply(id, MessageState::Complete, {});
    EXPECT_EQ(one.lastMessage().traced, static_cast<std::size_t>(kTokens));
    return static_cast<double>(one.history().traceBytes() - before) / kTokens;
}

TEST(Traces, ofTheBuiltInModelTakeAtMost400BytesAToken)
{
    const double bytes = bytesPerToken(1024, 7, 4, 32);
    RecordProperty("bytes", std::to_string(bytes));
    EXPECT_LE(bytes, 400);
}

TEST(Traces, of26LayersWith6ExpertsTakeAtMost800BytesAToken)
{
    const double bytes = bytesPerToken(102'400, 26, 6, 64);
    RecordProperty("bytes", std::to_string(bytes));
    EXPECT_LE(bytes, 800);
}

/// A conversation with a reply of 256 traced tokens.
ConversationId addReply(History &history, IdSource &ids, bool pinned = false)
{
    const ConversationId conversation = ids.next();
    const MessageId reply = ids.next();
    history.create({.id = conversation, .title = "t", .pinned = pinned});
    history.beginReply({.id = reply, .conversation = conversation, .role = Role::Assistant, .model = "m"});
    history.appendTokens(reply, std::vector<TokenRecord>(256, plainToken("deep ")));
    history.finishReply(reply, MessageState::Complete, {});
    return conversation;
}

std::size_t traced(History &history, ConversationId id)
{
    const LoadedMessage reply = history.load(id).path.back();
    EXPECT_EQ(reply.tokens.size(), 256U) << "words stay";
    EXPECT_EQ(reply.message.text.size(), 256U * 5);
    EXPECT_EQ(reply.damage, "");
    return reply.traced;
}

TEST(Traces, overTheLimitGoOldestFirstButNotThePinned)
{
    TempFolder folder;
    History history(folder.path());
    IdSource ids;
    const ConversationId pinned = addReply(history, ids, true);
    std::vector<ConversationId> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(addReply(history, ids));
    const std::int64_t full = history.traceBytes();
    history.setTraceLimits({.bytes = full / 2});
    EXPECT_LE(history.traceBytes(), full / 2);
    EXPECT_EQ(traced(history, pinned), 256U);
    EXPECT_EQ(traced(history, all.front()), 0U);
    EXPECT_EQ(traced(history, all.back()), 256U);
    const ConversationId newest = addReply(history, ids);
    EXPECT_LE(history.traceBytes(), full / 2) << "after every reply";
    EXPECT_EQ(traced(history, newest), 256U);
}

TEST(Traces, overTheAgeGo)
{
    TempFolder folder;
    IdSource ids;
    ConversationId old = 0;
    {
        History history(folder.path());
        old = addReply(history, ids);
    }
    runSql(folder.traces(), "UPDATE traces SET created = created - 100000000");
    History history(folder.path());
    const ConversationId young = addReply(history, ids);
    history.setTraceLimits({.age = 50'000'000});
    EXPECT_EQ(traced(history, old), 0U);
    EXPECT_EQ(traced(history, young), 256U);
}

TEST(Traces, goWithTheirConversation)
{
    TempFolder folder;
    IdSource ids;
    {
        History history(folder.path());
        const ConversationId id = addReply(history, ids);
        (void)addReply(history, ids);
        history.remove(id);
    }
    EXPECT_EQ(runSql(folder.traces(), "SELECT count(*) FROM trace_chunks"), "1");
    runSql(folder.database(), "DELETE FROM conversations");
    {
        const History history(folder.path());
    }
    EXPECT_EQ(runSql(folder.traces(), "SELECT count(*) FROM trace_chunks"), "0") << "orphans, too";
}

TEST(Traces, thatAreDamagedOrMissingLeaveTheWords)
{
    for (const char *damage :
         {"UPDATE trace_chunks SET data = x'00'", "DELETE FROM trace_chunks", "DROP TABLE trace_chunks",
          "PRAGMA user_version = 99", "PRAGMA application_id = 1"}) {
        TempFolder folder;
        IdSource ids;
        ConversationId id = 0;
        {
            History history(folder.path());
            id = addReply(history, ids);
        }
        runSql(folder.traces(), damage);
        History history(folder.path());
        const LoadedMessage reply = history.load(id).path.back();
        EXPECT_EQ(reply.tokens.size(), 256U) << damage;
        EXPECT_EQ(reply.message.text.size(), 256U * 5);
        EXPECT_NO_THROW((void)addReply(history, ids)) << damage;
    }
}

TEST(Traces, inAFileThatIsNoDatabaseAreSetAside)
{
    TempFolder folder;
    std::ofstream(folder.traces()) << std::string(5000, 'x');
    History history(folder.path());
    EXPECT_NE(history.traceProblem().find("set aside as"), std::string::npos) << history.traceProblem();
    IdSource ids;
    EXPECT_EQ(traced(history, addReply(history, ids)), 256U);
    EXPECT_EQ(history.traceProblem(), "");
}

TEST(Traces, ofAnotherModelAreNotShown)
{
    TempFolder folder;
    IdSource ids;
    ConversationId id = 0;
    {
        History history(folder.path());
        id = addReply(history, ids);
    }
    runSql(folder.database(), "UPDATE messages SET model = 'other'");
    History history(folder.path());
    const LoadedMessage reply = history.load(id).path.back();
    EXPECT_EQ(reply.traced, 0U);
    EXPECT_NE(reply.damage.find("expected other, found m"), std::string::npos) << reply.damage;
}

} // namespace
} // namespace bathyscope::storage::test
