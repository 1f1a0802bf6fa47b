// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/error.h"
#include "engine/session/local_backend.h"
#include "tests/engine/collecting_sink.h"
#include "tests/engine/reference_data.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace bathyscope {
namespace {

const std::vector<Message> question = {{Role::User, "What is 25 * 37?"}};

class AnalysisTest : public testing::Test {
protected:
    LocalBackend backend{builtinModel, {.device = "cpu", .threads = 2, .contextLength = 0}};
    std::unique_ptr<Session> session = backend.createSession();

    static Request greedy(std::vector<TokenId> replyStart = {}, Continuation forced = {})
    {
        Request request;
        request.prompt = question;
        request.sampling.temperature = 0;
        request.replyStart = std::move(replyStart);
        request.forced = std::move(forced);
        return request;
    }

    Analysis analyse(std::vector<TokenId> text, AnalysisOptions options, Prompt prompt = question)
    {
        return session->analyse(
            {.prompt = std::move(prompt), .text = std::move(text), .options = std::move(options)}, {});
    }

    /// Logits [tokens, vocab_size] straight from the executor.
    std::vector<float> logitsOf(const std::vector<TokenId> &ids)
    {
        ForwardResult result;
        const auto cache = backend.executor().createCache(static_cast<std::int32_t>(ids.size()));
        backend.executor().forward({.tokens = ids, .logits = LogitsOf::AllTokens}, *cache, result);
        return result.logits;
    }
};

TEST_F(AnalysisTest, TellsWhatWasRecorded)
{
    CollectingSink sink;
    session->generate(greedy(), sink, {});
    const auto ids = sink.ids();
    const auto count = static_cast<std::int32_t>(ids.size());
    const Analysis analysis = analyse(ids, {.count = count + 1, .candidates = 20, .routing = true});
    ASSERT_EQ(analysis.positions.size(), ids.size() + 1);
    EXPECT_EQ(analysis.ids, ids);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const TokenRecord &anew = analysis.positions[i].record;
        const TokenRecord &recorded = sink.records[i];
        EXPECT_EQ(anew.id, recorded.id);
        EXPECT_EQ(anew.bytes, recorded.bytes);
        EXPECT_NEAR(anew.logProb, recorded.logProb, 1e-3F);
        ASSERT_EQ(anew.top.size(), recorded.top.size());
        EXPECT_NEAR(anew.top[1].logProb, recorded.top[1].logProb, 2e-2F);
        EXPECT_EQ(anew.experts.size(), recorded.experts.size());
        EXPECT_EQ(analysis.positions[i].rank, 1) << "the reply is greedy";
    }
    EXPECT_EQ(analysis.positions.back().record.id, -1);
    EXPECT_EQ(analysis.positions.back().rank, 0);
}

/// What `bathyscope-trace logits` writes are these logits.
TEST_F(AnalysisTest, EqualsTheLogitsOfTheSameIds)
{
    CollectingSink sink;
    session->generate(greedy(), sink, {});
    const auto reply = sink.ids();
    std::vector<TokenId> ids = backend.preparePrompt(question).ids;
    const std::size_t offset = ids.size();
    ids.insert(ids.end(), reply.begin(), reply.end());
    const std::vector<float> logits = logitsOf(ids);
    const std::size_t vocabulary = logits.size() / ids.size();

    for (const std::int32_t place : {0, 7, static_cast<std::int32_t>(reply.size()) - 1}) {
        const Analysis analysis = analyse(reply, {.first = place, .candidates = 1000, .tokens = {5, 17}});
        ASSERT_EQ(analysis.positions.size(), 1U);
        const PositionAnalysis &position = analysis.positions.front();
        const float *row = logits.data() + (offset + static_cast<std::size_t>(place) - 1) * vocabulary;
        double sum = 0;
        for (std::size_t id = 0; id < vocabulary; ++id)
            sum += std::exp(static_cast<double>(row[id]));
        const double logSum = std::log(sum);
        ASSERT_EQ(position.record.top.size(), 1000U);
        double entropy = 0;
        for (std::size_t id = 0; id < vocabulary; ++id)
            entropy -= std::exp(row[id] - logSum) * (row[id] - logSum) / std::log(2.0);
        EXPECT_NEAR(position.entropy, entropy, 1e-4);
        for (const Candidate &candidate : position.record.top)
            EXPECT_NEAR(candidate.logProb, row[candidate.id] - logSum, 1e-4);
        for (const RankedToken &token : position.asked) {
            EXPECT_NEAR(token.logProb, row[token.id] - logSum, 1e-4);
            const auto better =
                std::count_if(row, row + vocabulary, [&](float logit) { return logit > row[token.id]; });
            EXPECT_NEAR(token.rank, better + 1, 1);
        }
    }
}

TEST_F(AnalysisTest, LeavesTheConversationAsItWas)
{
    CollectingSink sink;
    session->generate(greedy(), sink, {});
    const auto ids = sink.ids();
    analyse(ids, {.first = 3, .count = 5, .candidates = 1000});
    analyse({1, 2, 3, 4}, {.count = 4}); // a text that parts from it
    CollectingSink again;
    Request longer = greedy(std::vector<TokenId>(ids.begin(), ids.end() - 1));
    const GenerationSummary summary = session->generate(longer, again, {});
    EXPECT_EQ(summary.reusedTokens, summary.promptTokens - 1) << "all of it is still in the cache";
    ASSERT_EQ(again.records.size(), 1U);
    EXPECT_EQ(again.records.front().id, ids.back());
    EXPECT_NEAR(again.records.front().logProb, sink.records.back().logProb, 1e-4F);
}

TEST_F(AnalysisTest, ScoresTextByItself)
{
    const Analysis analysis = session->analyse(
        {.prompt = std::vector<TokenId>{}, .text = std::string("So 25 * 37 = 925."), .options = {.count = 0}},
        {});
    EXPECT_GT(analysis.ids.size(), 5U);
    EXPECT_TRUE(analysis.positions.empty());
    const Analysis scored = analyse(analysis.ids, {.count = static_cast<std::int32_t>(analysis.ids.size())},
                                    std::vector<TokenId>{});
    ASSERT_EQ(scored.positions.size(), analysis.ids.size());
    std::string text;
    for (const PositionAnalysis &position : scored.positions) {
        text += position.record.bytes;
        EXPECT_LE(position.record.logProb, 0);
    }
    EXPECT_EQ(text, "So 25 * 37 = 925.");
}

TEST_F(AnalysisTest, RefusesWhatIsNotThere)
{
    EXPECT_THROW(analyse({1, 2}, {.first = 0, .count = 4}), Error);
    EXPECT_THROW(analyse({1, 2}, {.first = -1}), Error);
    EXPECT_THROW(analyse({1, 1 << 20}, {}), Error);
    EXPECT_THROW(analyse({1, 2}, {.tokens = {-1}}), Error);
    std::stop_source stop;
    stop.request_stop();
    const Analysis stopped = session->analyse(
        {.prompt = question, .text = std::vector<TokenId>{1, 2}, .options = {}}, stop.get_token());
    EXPECT_TRUE(stopped.positions.empty());
}

TEST_F(AnalysisTest, AForkGoesOnFromExactlyTheseTokens)
{
    CollectingSink sink;
    session->generate(greedy(), sink, {});
    const auto ids = sink.ids();
    const std::size_t at = 20;
    const TokenId other = sink.records[at].top[1].id;
    const std::vector<TokenId> start(ids.begin(), ids.begin() + at);
    CollectingSink fork;
    const GenerationSummary summary = session->generate(greedy(start, std::vector<TokenId>{other}), fork, {});
    EXPECT_EQ(summary.reusedTokens, summary.promptTokens - 1);
    ASSERT_FALSE(fork.records.empty());
    EXPECT_EQ(fork.records.front().id, other);
    EXPECT_EQ(fork.records.front().section, Section::Reasoning);
    EXPECT_NEAR(fork.records.front().logProb, sink.records[at].top[1].logProb, 1e-3F);

    // The same ids in a fresh session go on alike.
    CollectingSink fresh;
    backend.createSession()->generate(greedy(start, std::vector<TokenId>{other}), fresh, {});
    EXPECT_EQ(fresh.ids(), fork.ids());
}

TEST_F(AnalysisTest, OwnTextStandsInForTheFirstChoices)
{
    CollectingSink sink;
    session->generate(greedy({}, std::string("Hm. I know this one.</think>\n25")), sink, {});
    std::string text;
    for (const TokenRecord &record : sink.records)
        text += record.bytes;
    EXPECT_TRUE(text.starts_with("Hm. I know this one.</think>\n25")) << text;
    EXPECT_EQ(sink.text(Section::Reasoning), "Hm. I know this one.");
    EXPECT_TRUE(sink.text(Section::Answer).starts_with("25"));
    EXPECT_LT(sink.records[0].logProb, -0.1F) << "measured, though it was not chosen";
}

TEST_F(AnalysisTest, TellsWhyTheRecordedExpertsWereChosen)
{
    CollectingSink sink;
    session->generate(greedy(), sink, {});
    const Analysis analysis =
        analyse(sink.ids(), {.first = 3, .count = 2, .candidates = 0, .decisions = true});
    ASSERT_EQ(analysis.positions.size(), 2U);
    for (std::size_t place = 0; place < 2; ++place) {
        const std::vector<RouterDecision> &decisions = analysis.positions[place].decisions;
        ASSERT_EQ(decisions.size(), backend.model().moeLayers.size());
        for (std::size_t layer = 0; layer < decisions.size(); ++layer) {
            EXPECT_EQ(decisions[layer].layer, backend.model().moeLayers[layer]);
            EXPECT_EQ(decisions[layer].keptGroups.size(), 2U);
            EXPECT_EQ(decisions[layer].bias.size(), 32U);
            for (std::size_t i = 0; i < 4; ++i) {
                const ExpertChoice &recorded = sink.records[place + 3].experts[layer * 4 + i];
                EXPECT_EQ(decisions[layer].chosen[i].expert, recorded.expert);
                EXPECT_NEAR(decisions[layer].chosen[i].weight, recorded.weight, 1e-4F);
            }
        }
    }
}

} // namespace
} // namespace bathyscope
