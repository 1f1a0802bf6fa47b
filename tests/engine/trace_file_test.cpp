// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/error.h"
#include "engine/trace/trace_file.h"
#include "tests/engine/reference_data.h"
#include "tests/engine/temporary_directory.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <fstream>

namespace bathyscope {
namespace {

using nlohmann::json;

std::shared_ptr<const ModelInfo> makeModel()
{
    ModelInfo model;
    model.name = "Small";
    model.fingerprint = "f00d";
    model.moeLayers = {1, 2};
    model.experts = 8;
    model.expertsPerToken = 2;
    model.vocabulary = std::make_shared<const Vocabulary>(Vocabulary{"a", "b", "\xE2\x80"});
    return std::make_shared<const ModelInfo>(std::move(model));
}

TokenRecord makeToken(TokenId id, Section section, const std::string &bytes)
{
    TokenRecord token;
    token.id = id;
    token.section = section;
    token.bytes = bytes;
    token.logProb = -0.5F;
    token.top = {{id, -0.5F}, {1, -2.0F}};
    token.restMass = 0.25F;
    token.experts = {{0, 0.75F}, {3, 0.25F}, {2, 0.5F}, {7, 0.5F}};
    return token;
}

std::vector<TracedMessage> conversation()
{
    TokenRecord untraced = makeToken(1, Section::Answer, "b");
    untraced.top.clear();
    untraced.experts.clear();
    GenerationSummary summary;
    summary.generatedTokens = 3;
    return {{Role::User, "say \"a\"\nb", {}, nullptr, {}},
            {Role::Assistant,
             {},
             {makeToken(0, Section::Reasoning, "a"), makeToken(2, Section::Answer, "\xE2\x80"), untraced},
             makeModel(),
             summary}};
}

std::vector<json> readLines(const std::filesystem::path &path)
{
    std::vector<json> lines;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);)
        lines.push_back(json::parse(line));
    return lines;
}

class TraceFile : public testing::Test {
protected:
    TemporaryDirectory directory;
};

TEST_F(TraceFile, LinesHoldMessagesTokensAndSummary)
{
    const auto path = directory.path() / "trace.jsonl";
    writeTraceFile(path, conversation());
    const std::vector<json> lines = readLines(path);
    ASSERT_EQ(lines.size(), 6U);
    EXPECT_EQ(lines[0], (json{{"role", "user"}, {"content", "say \"a\"\nb"}}));
    EXPECT_EQ(lines[1]["role"], "assistant");
    EXPECT_EQ(lines[1]["model"]["fingerprint"], "f00d");
    EXPECT_EQ(lines[2]["section"], "reasoning");
    EXPECT_EQ(lines[2]["top"][1], (json{{"id", 1}, {"logprob", -2.0}, {"text", "b"}}));
    EXPECT_EQ(lines[2]["experts"][1], (json{{"layer", 2}, {"ids", {2, 7}}, {"weights", {0.5, 0.5}}}));
    EXPECT_EQ(lines[3]["text"], "\xEF\xBF\xBD") << "half a character";
    EXPECT_EQ(lines[5]["finish"], "eos");
    EXPECT_EQ(lines[5]["reasoning"], "a");
}

TEST_F(TraceFile, TensorsHaveTheStatedShapes)
{
    const auto path = directory.path() / "trace.safetensors";
    writeTraceFile(path, conversation());
    const SafetensorsFile file(path);
    using Shape = std::vector<std::int64_t>;
    EXPECT_EQ(file.tensors().at("reply.0.router.ids").shape, (Shape{3, 2, 2}));
    EXPECT_EQ(file.tensors().at("reply.0.top.logprobs").shape, (Shape{3, 2}));
    EXPECT_EQ(tensorValues<std::int32_t>(file, "reply.0.ids"), (std::vector<std::int32_t>{0, 2, 1}));
    EXPECT_EQ(tensorValues<std::int32_t>(file, "reply.0.section"), (std::vector<std::int32_t>{0, 1, 1}));
    EXPECT_EQ(tensorValues<std::int32_t>(file, "reply.0.router.layers"), (std::vector<std::int32_t>{1, 2}));
    EXPECT_EQ(tensorValues<std::int32_t>(file, "reply.0.router.ids"),
              (std::vector<std::int32_t>{0, 3, 2, 7, 0, 3, 2, 7, -1, -1, -1, -1}));
    const auto weights = tensorValues<float>(file, "reply.0.router.weights");
    EXPECT_EQ(weights[1], 0.25F);
    EXPECT_TRUE(std::isnan(weights[8]));
    EXPECT_TRUE(std::isnan(tensorValues<float>(file, "reply.0.rest")[2]));
}

TEST_F(TraceFile, WhatWasNotTracedIsLeftOut)
{
    std::vector<TracedMessage> messages = conversation();
    messages[1].model = nullptr;
    for (TokenRecord &token : messages[1].tokens)
        token.top.clear();
    const auto path = directory.path() / "trace.safetensors";
    writeTraceFile(path, messages);
    const SafetensorsFile file(path);
    EXPECT_FALSE(file.tensors().contains("reply.0.router.ids"));
    EXPECT_FALSE(file.tensors().contains("reply.0.top.ids"));
    EXPECT_TRUE(file.tensors().contains("reply.0.logprobs"));
}

TEST_F(TraceFile, RefusesWhatItCannotWrite)
{
    EXPECT_THROW(writeTraceFile(directory.path() / "trace.txt", {}), Error);
    EXPECT_THROW(writeTraceFile(directory.path() / "missing" / "trace.jsonl", conversation()), Error);
    EXPECT_THROW(writeTraceFile(directory.path() / "missing" / "trace.safetensors", conversation()), Error);
}

} // namespace
} // namespace bathyscope
