// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/storage/storage_test.h"

#include <gtest/gtest.h>

namespace bathyscope::storage::test {
namespace {

class Search : public testing::Test {
protected:
    Search()
    {
        m_reply = one.beginReply();
        one.history().appendTokens(m_reply,
                                   {plainToken("Think of Piccard.", Section::Reasoning),
                                    plainToken("The Trieste reached "), plainToken("10,916 m: Tiefsee-Käpt"),
                                    plainToken("'n \"Nemo\" 25 * 37 = 925 für 日本")});
        one.history().finishReply(m_reply, MessageState::Complete, {});
    }

    std::vector<MessageId> find(const std::string &text, bool reasoning = false)
    {
        std::vector<MessageId> ids;
        for (const SearchHit &hit : one.history().search({.text = text, .reasoning = reasoning}))
            ids.push_back(hit.message.value_or(0));
        return ids;
    }

    OneConversation one;
    MessageId m_reply = 0;
};

TEST_F(Search, findsWordsOfQuestionsAndAnswers)
{
    EXPECT_EQ(find("dive"), std::vector<MessageId>{one.question});
    EXPECT_EQ(find("trieste"), std::vector<MessageId>{m_reply});
    EXPECT_EQ(find("the trieste"), std::vector<MessageId>{m_reply});
    EXPECT_TRUE(find("dive trieste").empty()) << "all words in one message";
}

TEST_F(Search, findsTheLastWordWhileItIsTyped)
{
    EXPECT_EQ(find("trie"), std::vector<MessageId>{m_reply});
    EXPECT_EQ(find("reached tri"), std::vector<MessageId>{m_reply});
    EXPECT_TRUE(find("tri reached").empty());
}

TEST_F(Search, looksAtReasoningOnlyWhenAsked)
{
    EXPECT_TRUE(find("Piccard").empty());
    EXPECT_EQ(find("Piccard", true), std::vector<MessageId>{m_reply});
}

TEST_F(Search, takesSignsAsText)
{
    EXPECT_EQ(find("25 * 37"), std::vector<MessageId>{m_reply});
    EXPECT_EQ(find("\"Nemo\""), std::vector<MessageId>{m_reply});
    EXPECT_EQ(find("kapt'n"), std::vector<MessageId>{m_reply});
    EXPECT_EQ(find("FÜR"), std::vector<MessageId>{m_reply});
    EXPECT_EQ(find("日本"), std::vector<MessageId>{m_reply});
    EXPECT_TRUE(find("trieste NOT reached").empty()) << "NOT is a word here";
    for (const char *nothing : {"", "  ", "*", "\"", "( ) -", "^"})
        EXPECT_TRUE(find(nothing).empty()) << nothing;
    for (const char *odd : {"\xFF\xFE", "a\"b\"*", "text:", "{x} :", "NEAR(a b)"})
        EXPECT_NO_THROW((void)find(odd)) << odd;
}

TEST_F(Search, marksTheMatchInTheSnippetAndNamesTheConversation)
{
    const std::vector<SearchHit> hits = one.history().search({.text = "Trieste"});
    ASSERT_EQ(hits.size(), 1U);
    EXPECT_EQ(hits[0].title, "Ships");
    EXPECT_EQ(hits[0].conversation, one.conversation);
    EXPECT_NE(hits[0].snippet.find("\x02Trieste\x03 reached"), std::string::npos);
}

TEST_F(Search, findsTitlesFirstAndFollowsARename)
{
    one.history().create({.id = 7, .title = "Trieste, Italy"});
    EXPECT_EQ(find("trieste"), (std::vector<MessageId>{0, m_reply}));
    one.history().rename(7, "Genoa");
    EXPECT_EQ(find("trieste"), std::vector<MessageId>{m_reply});
    EXPECT_EQ(find("genoa"), std::vector<MessageId>{0});
    one.history().remove(7);
    EXPECT_TRUE(find("genoa").empty());
}

TEST_F(Search, showsTheNewestFirstAndNoMoreThanAskedFor)
{
    std::vector<MessageId> newestFirst;
    for (int i = 0; i < 10; ++i) {
        newestFirst.insert(newestFirst.begin(), one.ids.next());
        one.history().addMessage(
            {.id = newestFirst.front(), .conversation = one.conversation, .text = "nautilus"});
    }
    EXPECT_EQ(find("nautilus"), newestFirst);
    EXPECT_EQ(one.history().search({.text = "nautilus", .limit = 3}).size(), 3U);
}

} // namespace
} // namespace bathyscope::storage::test
