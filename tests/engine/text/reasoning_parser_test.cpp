// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/reasoning_parser.h"

#include <gtest/gtest.h>
#include <random>

namespace bathyscope {
namespace {

/// The reply as "R:…|A:…|M:…", neighbours of one section joined.
std::string sections(std::string_view prompt, const std::vector<std::string> &tokens)
{
    ReasoningParser parser(prompt);
    std::vector<TokenRecord> records;
    const auto add = [&](std::vector<TokenRecord> more) {
        std::move(more.begin(), more.end(), std::back_inserter(records));
    };
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        TokenRecord record;
        record.id = static_cast<TokenId>(i);
        record.bytes = tokens[i];
        add(parser.push(std::move(record)));
    }
    add(parser.finish());
    EXPECT_EQ(records.size(), tokens.size());
    std::string text;
    for (std::size_t i = 0; i < records.size(); ++i) {
        EXPECT_EQ(records[i].id, static_cast<TokenId>(i));
        EXPECT_EQ(records[i].bytes, tokens[i]);
        if (i == 0 || records[i].section != records[i - 1].section) {
            text += i > 0 ? "|" : "";
            text += records[i].section == Section::Reasoning ? "R:"
                : records[i].section == Section::Answer      ? "A:"
                                                             : "M:";
        }
        text += records[i].bytes;
    }
    return text;
}

TEST(ReasoningParser, StartsWhereThePromptEnds)
{
    EXPECT_EQ(sections("<｜Assistant｜><think>\n", {"hm", "</think>", "\n\n", "1"}),
              "R:hm|M:</think>\n\n|A:1");
    EXPECT_EQ(sections("<think>\n\n</think>\n\n", {"1", "</think>"}), "A:1</think>");
    EXPECT_EQ(sections("<｜Assistant｜>", {"1", " + 1"}), "A:1 + 1");
    EXPECT_EQ(sections("<｜Assistant｜><think>", {"\n", "hm"}), "M:\n|R:hm");
}

TEST(ReasoningParser, TheModelMayOpenTheReasoning)
{
    EXPECT_EQ(sections("", {"<think>", "\n", "hm", "\n", "</think>", "\n\n", "1"}),
              "M:<think>\n|R:hm\n|M:</think>\n\n|A:1");
    EXPECT_EQ(sections("", {"\n", "<think>", "hm"}), "M:\n<think>|R:hm");
    EXPECT_EQ(sections("", {"\n", "1"}), "A:\n1");
    EXPECT_EQ(sections("", {"1", "<think>", "2", "</think>"}), "A:1<think>2</think>");
}

TEST(ReasoningParser, OnlyTheFirstEndCloses)
{
    EXPECT_EQ(sections("<think>", {"a", "<think>", "</think>", "b", "</think>", "c", "<think>"}),
              "R:a<think>|M:</think>|A:b</think>c<think>");
}

TEST(ReasoningParser, UnclosedReasoningStaysReasoning)
{
    EXPECT_EQ(sections("<think>", {"a", "</thi"}), "R:a</thi");
    EXPECT_EQ(sections("", {"<thi"}), "A:<thi");
    EXPECT_EQ(sections("", {}), "");
}

TEST(ReasoningParser, TagsMaySpreadOverTokens)
{
    EXPECT_EQ(sections("<think>", {"a", "</", "think", ">", "\n", "b"}), "R:a|M:</think>\n|A:b");
    EXPECT_EQ(sections("<think>", {"a<", "/", "thinker>", "<</think>b", "c"}), "R:a</thinker>|A:<</think>bc");
    EXPECT_EQ(sections("<think>", {".\n</think>", "\n\nSo", " on"}), "R:.\n</think>|A:\n\nSo on");
}

TEST(ReasoningParser, HoldsBackOnlyWhatIsUndecided)
{
    ReasoningParser parser("<think>");
    const auto push = [&](const char *bytes) {
        TokenRecord record;
        record.bytes = bytes;
        return parser.push(std::move(record)).size();
    };
    EXPECT_EQ(push("a"), 1U);
    EXPECT_EQ(push("</"), 0U);
    EXPECT_EQ(push("think"), 0U);
    EXPECT_EQ(parser.current(), Section::Reasoning);
    EXPECT_EQ(push(">"), 3U);
    EXPECT_EQ(parser.current(), Section::Answer);
    EXPECT_EQ(push("<"), 1U);
    EXPECT_TRUE(parser.finish().empty());
}

TEST(ReasoningParser, LosesNothingHoweverTokensAreCut)
{
    std::mt19937 random(1);
    const std::string alphabet[] = {"<think>", "</think>", "<", "</", "think", ">", " ", "\n", "a", ""};
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::string> tokens(random() % 12);
        for (std::string &token : tokens) {
            for (auto parts = random() % 3; parts > 0; --parts) {
                token += alphabet[random() % std::size(alphabet)];
            }
        }
        sections(round % 2 == 0 ? "<think>\n" : "", tokens);
    }
}

} // namespace
} // namespace bathyscope
