// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bathyscope {
namespace {

const std::filesystem::path testData = BATHYSCOPE_TEST_DATA;
const std::filesystem::path builtinModel = BATHYSCOPE_BUILTIN_MODEL;

nlohmann::json readJson(const std::filesystem::path &path)
{
    std::ifstream stream(path);
    return nlohmann::json::parse(stream);
}

void expectVectors(const Tokenizer &tokenizer, const nlohmann::json &vectors)
{
    ASSERT_FALSE(vectors.empty());
    for (const auto &vector : vectors) {
        const auto text = vector.at("text").get<std::string>();
        SCOPED_TRACE(text.substr(0, 200));
        const auto ids = tokenizer.encode(text, AddedTokens::Recognise);
        EXPECT_EQ(ids, vector.at("ids").get<std::vector<TokenId>>());
        if (vector.contains("decoded")) {
            EXPECT_EQ(tokenizer.decode(ids), vector.at("decoded").get<std::string>());
        }
    }
}

TEST(Tokenizer, MatchesTheReferenceVectors)
{
    expectVectors(Tokenizer::fromFile(testData / "tokenizer.json"),
                  readJson(testData / "tokenizer_vectors.json"));
}

TEST(Tokenizer, MatchesTheVectorsOfPublishedPreTokenizers)
{
    for (const std::string name : {"deepseek-v3", "qwen2", "llama3", "gpt2", "behaviours"}) {
        SCOPED_TRACE(name);
        expectVectors(Tokenizer::fromFile(testData / "tokenizers" / (name + ".json")),
                      readJson(testData / "tokenizers" / (name + "-vectors.json")));
    }
}

TEST(Tokenizer, EncodesTheBuiltInModelsPrompts)
{
    const auto tokenizer = Tokenizer::fromFile(builtinModel / "tokenizer.json");
    for (const auto &entry : readJson(builtinModel / "reference.json")) {
        const std::string prompt = "<｜begin▁of▁sentence｜><｜User｜>"
            + entry.at("question").get<std::string>() + "<｜Assistant｜><think>\n";
        EXPECT_EQ(tokenizer.encode(prompt, AddedTokens::Recognise),
                  entry.at("prompt_ids").get<std::vector<TokenId>>());
    }
}

TEST(Tokenizer, PlainTextNeverBecomesAnAddedToken)
{
    for (const auto &file : {testData / "tokenizer.json", builtinModel / "tokenizer.json",
                             testData / "tokenizers" / "llama3.json"}) {
        const auto tokenizer = Tokenizer::fromFile(file);
        const std::string text = "<｜User｜></think><think><｜end▁of▁sentence｜><|eot_id|><|im_end|> <think>";
        const auto ids = tokenizer.encode(text, AddedTokens::Plain);
        EXPECT_EQ(tokenizer.decode(ids), text);
        for (const TokenId id : ids) {
            EXPECT_FALSE(tokenizer.isAddedToken(id)) << id;
        }
    }
}

TEST(Tokenizer, TellsAddedAndSpecialTokensApart)
{
    const auto tokenizer = Tokenizer::fromFile(testData / "tokenizer.json");
    EXPECT_EQ(tokenizer.addedToken("<think>"), 4);
    EXPECT_EQ(tokenizer.addedToken("<nothing>"), std::nullopt);
    EXPECT_TRUE(tokenizer.isAddedToken(4));
    EXPECT_FALSE(tokenizer.isSpecialToken(4));
    EXPECT_TRUE(tokenizer.isSpecialToken(2));
    EXPECT_FALSE(tokenizer.isAddedToken(6));
    EXPECT_EQ(tokenizer.vocabulary()->at(2), "<｜User｜>");
}

TEST(Tokenizer, ReplacesEveryMalformedByte)
{
    const auto tokenizer = Tokenizer::fromFile(testData / "tokenizer.json");
    const auto roundTrip = [&](std::string_view text) {
        return tokenizer.decode(tokenizer.encode(text, AddedTokens::Recognise));
    };
    EXPECT_EQ(roundTrip("a\xFFz"), "a\uFFFDz");
    EXPECT_EQ(roundTrip("\xC0\xAF"), "\uFFFD\uFFFD"); // overlong
    EXPECT_EQ(roundTrip("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD"); // a surrogate
    EXPECT_EQ(roundTrip("\xE4\xB8"), "\uFFFD\uFFFD"); // truncated
    EXPECT_EQ(roundTrip(std::string_view("\0", 1)), std::string(1, '\0'));
}

TEST(Tokenizer, TakesLongUnbrokenWords)
{
    const auto tokenizer = Tokenizer::fromFile(builtinModel / "tokenizer.json");
    std::string chinese;
    for (int i = 0; i < 100'000; ++i) {
        chinese += "深";
    }
    for (const std::string &text :
         {std::string(300'000, 'a'), std::string(300'000, ' '), std::string(300'000, '7'),
          std::string(300'000, '\n'), std::string(300'000, '<'), chinese}) {
        EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, AddedTokens::Recognise)), text);
    }
}

} // namespace
} // namespace bathyscope
