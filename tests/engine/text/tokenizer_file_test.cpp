// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/error.h"
#include "engine/text/tokenizer.h"

#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bathyscope {
namespace {

/// The error of the reference tokenizer after a change to it; "" when it loads.
std::string errorAfter(const std::function<void(nlohmann::json &)> &change)
{
    std::ifstream stream(std::filesystem::path(BATHYSCOPE_TEST_DATA) / "tokenizer.json");
    nlohmann::json root = nlohmann::json::parse(stream);
    change(root);
    const auto file = std::filesystem::temp_directory_path() / "bathyscope-tokenizer-test.json";
    std::ofstream(file) << root.dump();
    std::string message;
    try {
        (void)Tokenizer::fromFile(file);
    } catch (const Error &error) {
        message = error.what();
    }
    std::filesystem::remove(file);
    return message;
}

TEST(TokenizerFile, ErrorsNameTheFileAndTheKey)
{
    using Change = std::function<void(nlohmann::json &)>;
    const std::pair<const char *, Change> cases[] = {
        {"model", [](auto &j) { j.erase("model"); }},
        {"model.type", [](auto &j) { j["model"]["type"] = "Unigram"; }},
        {"model.byte_fallback", [](auto &j) { j["model"]["byte_fallback"] = true; }},
        {"model.unk_token", [](auto &j) { j["model"]["unk_token"] = "<unk>"; }},
        {"model.vocab", [](auto &j) { j["model"]["vocab"] = 3; }},
        {"model.vocab", [](auto &j) { j["model"]["vocab"].erase("a"); }},
        {"model.vocab[\"b\"]", [](auto &j) { j["model"]["vocab"]["b"] = -1; }},
        {"model.vocab[\"b\"]", [](auto &j) { j["model"]["vocab"]["b"] = 4'000'000'000; }},
        {"an id of its own", [](auto &j) { j["model"]["vocab"]["b"] = j["model"]["vocab"]["a"]; }},
        {"model.merges", [](auto &j) { j["model"]["merges"] = nullptr; }},
        {"model.merges[0]", [](auto &j) { j["model"]["merges"][0] = "a b c"; }},
        {"model.merges[1]",
         [](auto &j) {
             j["model"]["merges"][1] = {"q", "zz"};
         }},
        {"decoder.type", [](auto &j) { j["decoder"] = nullptr; }},
        {"normalizer.type",
         [](auto &j) {
             j["normalizer"] = {{"type", "Prepend"}, {"prepend", "_"}};
         }},
        {"pre_tokenizer", [](auto &j) { j["pre_tokenizer"] = nullptr; }},
        {"pre_tokenizer.type", [](auto &j) { j["pre_tokenizer"]["type"] = "Metaspace"; }},
        {"pre_tokenizer.pretokenizers[0].pattern.Regex",
         [](auto &j) { j["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = "(a"; }},
        {"pre_tokenizer.pretokenizers[0].behavior",
         [](auto &j) { j["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Sideways"; }},
        {"ByteLevel", [](auto &j) { j["pre_tokenizer"]["pretokenizers"].erase(3); }},
        {"added_tokens[0].id", [](auto &j) { j["added_tokens"][0]["id"] = "x"; }},
        {"added_tokens[0].content", [](auto &j) { j["added_tokens"][0].erase("content"); }},
    };
    EXPECT_EQ(errorAfter([](auto &) {}), "");
    for (const auto &[key, change] : cases) {
        const std::string message = errorAfter(change);
        EXPECT_NE(message.find(key), std::string::npos) << key << ": " << message;
        EXPECT_NE(message.find("bathyscope-tokenizer-test.json"), std::string::npos) << message;
    }
}

TEST(TokenizerFile, TakesMergesInBothForms)
{
    EXPECT_EQ(errorAfter([](nlohmann::json &j) {
                  for (auto &merge : j["model"]["merges"]) {
                      merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
                  }
              }),
              "");
}

TEST(TokenizerFile, RefusesWhatIsNotJson)
{
    EXPECT_THROW((void)Tokenizer::fromFile("/nonexistent/tokenizer.json"), Error);
    const auto file = std::filesystem::temp_directory_path() / "bathyscope-broken-tokenizer.json";
    std::ofstream(file) << "{\"model\": ";
    EXPECT_THROW((void)Tokenizer::fromFile(file), Error);
    std::filesystem::remove(file);
}

} // namespace
} // namespace bathyscope
