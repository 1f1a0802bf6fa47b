// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tokenizers that people have, against Hugging Face tokenizers: 10,000 random strings over all of Unicode
// and 1,000 lines of text each (tests/data/tokenizers/fetch_published.py fetches them).
#include "engine/text/tokenizer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

namespace bathyscope {
namespace {

class PublishedTokenizer : public testing::TestWithParam<const char *> { };

TEST_P(PublishedTokenizer, GivesTheIdsOfHuggingFace)
{
    const std::filesystem::path folder = BATHYSCOPE_PUBLISHED_TOKENIZERS;
    const std::string name = GetParam();
    const std::filesystem::path vectors = folder / (name + "-vectors.json");
    if (!std::filesystem::exists(vectors)) {
        GTEST_SKIP() << name << ": the tokenizer could not be fetched";
    }
    const Tokenizer tokenizer = Tokenizer::fromFile(folder / (name + ".json"));
    std::ifstream stream(vectors);
    std::size_t wrong = 0;
    const nlohmann::json list = nlohmann::json::parse(stream);
    for (const auto &vector : list) {
        const auto text = vector.at("text").get<std::string>();
        const auto expected = vector.at("ids").get<std::vector<TokenId>>();
        const auto ids = tokenizer.encode(text, AddedTokens::Recognise);
        if (ids != expected && ++wrong <= 5) {
            ADD_FAILURE() << vector.at("text").dump(-1, ' ', true) << "\nids " << nlohmann::json(ids)
                          << "\nexpected " << vector.at("ids");
        }
    }
    EXPECT_EQ(list.size(), 11'000U);
    EXPECT_EQ(wrong, 0U) << "of " << list.size();
}

INSTANTIATE_TEST_SUITE_P(Fetched, PublishedTokenizer, testing::Values("deepseek-v3", "qwen", "llama3"),
                         [](const auto &tested) {
                             std::string name = tested.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });

} // namespace
} // namespace bathyscope
