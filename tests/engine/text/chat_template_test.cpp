// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/chat_template.h"

#include "engine/error.h"
#include "engine/text/prompt.h"

#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

namespace bathyscope {
namespace {

const std::filesystem::path templates = std::filesystem::path(BATHYSCOPE_TEST_DATA) / "templates";

std::string readText(const std::filesystem::path &path)
{
    std::ifstream stream(path);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

TEST(ChatTemplate, MatchesJinjaOnPublishedTemplates)
{
    const auto vectors = nlohmann::ordered_json::parse(readText(templates / "vectors.json"));
    ASSERT_EQ(vectors.size(), 108U);
    for (const auto &vector : vectors) {
        const auto name = vector.at("template").get<std::string>();
        const ChatTemplate chatTemplate(readText(templates / name), name);
        nlohmann::ordered_json variables = vector.at("extra");
        variables["messages"] = vector.at("messages");
        variables["bos_token"] = "<BOS>";
        variables["eos_token"] = "<EOS>";
        variables["add_generation_prompt"] = true;
        EXPECT_EQ(joined(chatTemplate.renderOrdered(variables)), vector.at("text").get<std::string>())
            << name << ": " << vector.at("conversation") << " " << vector.at("extra").dump();
    }
}

std::vector<PromptPiece> render(const std::string &source, const std::string &content)
{
    return ChatTemplate(source, "test")
        .render({{"messages", {{{"role", "user"}, {"content", content}}}}, {"bos_token", "<BOS>"}});
}

using Pieces = std::vector<PromptPiece>;

TEST(ChatTemplate, KnowsWhereTextComesFrom)
{
    EXPECT_EQ(render("{{ bos_token + messages[0].content ~ '!' }}", "hi"),
              (Pieces{{"<BOS>", true}, {"hi", false}, {"!", true}}));
    EXPECT_EQ(render("{{ ('<' + messages[0].content + '>')[1:-1] | upper }}", "ab"), (Pieces{{"AB", false}}));
    EXPECT_EQ(render("{{ messages[0].content.split('|')[1].strip() }}.", "a| b |c"),
              (Pieces{{"b", false}, {".", true}}));
    EXPECT_EQ(render("{{ messages[0].content | replace('x', '<T>') }}", "axb"),
              (Pieces{{"a", false}, {"<T>", true}, {"b", false}}));
    EXPECT_EQ(render("{{ messages[0].content | tojson }}", "a\"b"),
              (Pieces{{"\"", true}, {"a\\\"b", false}, {"\"", true}}));
    EXPECT_EQ(render("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(messages[0].content) }}", "a"),
              (Pieces{{"[", true}, {"a", false}, {"]", true}}));
    EXPECT_EQ(render("{% set x %}<{{ messages[0].content }}>{% endset %}{{ x | trim | title }}", "a"),
              (Pieces{{"<", true}, {"A", false}, {">", true}}));
    EXPECT_EQ(render("{{ messages | map(attribute='content') | join('<T>') }}", "</s>"),
              (Pieces{{"</s>", false}}));
    EXPECT_EQ(render("{{ messages[0] }}", "a"),
              (Pieces{{"{'", true},
                      {"content", false},
                      {"': '", true},
                      {"a", false},
                      {"', '", true},
                      {"role", false},
                      {"': '", true},
                      {"user", false},
                      {"'}", true}}));
}

TEST(ChatTemplate, RendersTheBuiltInModelsPrompt)
{
    const auto chatTemplate = ChatTemplate::fromModelDirectory(BATHYSCOPE_BUILTIN_MODEL);
    const auto tokenizer =
        Tokenizer::fromFile(std::filesystem::path(BATHYSCOPE_BUILTIN_MODEL) / "tokenizer.json");
    std::ifstream stream(std::filesystem::path(BATHYSCOPE_BUILTIN_MODEL) / "reference.json");
    for (const auto &entry : nlohmann::json::parse(stream)) {
        const auto pieces =
            chatTemplate.renderPrompt({{Role::User, entry.at("question").get<std::string>()}});
        EXPECT_EQ(encodePrompt(tokenizer, pieces), entry.at("prompt_ids").get<std::vector<TokenId>>());
    }
}

TEST(ChatTemplate, NamesTheMissingTemplate)
{
    const auto directory = std::filesystem::temp_directory_path() / "bathyscope-no-template";
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "tokenizer_config.json") << "{}";
    try {
        (void)ChatTemplate::fromModelDirectory(directory);
        FAIL() << "no error";
    } catch (const Error &error) {
        EXPECT_NE(std::string(error.what()).find("chat_template"), std::string::npos) << error.what();
    }
    std::ofstream(directory / "chat_template.jinja") << "{{ bos_token }}{{ messages[0].role }}";
    std::ofstream(directory / "tokenizer_config.json") << R"({"bos_token": {"content": "<B>"}})";
    EXPECT_EQ(joined(ChatTemplate::fromModelDirectory(directory).renderPrompt({{Role::System, ""}})),
              "<B>system");
    std::filesystem::remove_all(directory);
}

} // namespace
} // namespace bathyscope
