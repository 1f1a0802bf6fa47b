// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/chat_template.h"

#include "engine/error.h"
#include "engine/limits.h"
#include "engine/text/jinja/interpreter.h"
#include "engine/text/jinja/parser.h"
#include "engine/text/tokenizer/json_access.h"
#include "engine/text/tokenizer/utf8.h"

#include <fmt/format.h>
#include <fstream>
#include <sstream>

namespace bathyscope {

namespace {

using jinja::Origin;
using jinja::Value;

/// A value of the request; the strings in it, keys included, are of the given origin.
template <typename Json>
Value toValue(jinja::Interpreter &in, const Json &json, Origin origin, std::size_t depth = 0)
{
    if (depth > limits::maxTemplateDepth) {
        throw Error("the variables of the template are nested too deeply");
    }
    in.charge(1);
    if (json.is_string()) {
        return jinja::makeText(utf8::sanitised(json.template get_ref<const std::string &>()), origin);
    }
    if (json.is_array()) {
        std::vector<Value> items;
        for (const Json &item : json) {
            items.push_back(toValue(in, item, origin, depth + 1));
        }
        return in.makeList(std::move(items));
    }
    if (json.is_object()) {
        jinja::Dict *dict = in.makeDict();
        for (const auto &[key, value] : json.items()) {
            dict->set(jinja::makeText(utf8::sanitised(key), origin), toValue(in, value, origin, depth + 1));
        }
        return {dict};
    }
    if (json.is_boolean()) {
        return {json.template get<bool>()};
    }
    if (json.is_number_integer()) {
        return {json.template get<std::int64_t>()};
    }
    return json.is_number() ? Value{json.template get<double>()} : Value{jinja::None{}};
}

std::vector<PromptPiece> toPieces(const jinja::Text &text)
{
    std::vector<PromptPiece> pieces;
    for (std::size_t begin = 0; begin < text.size();) {
        std::size_t end = begin + 1;
        while (end < text.size() && text.origin(end) == text.origin(begin)) {
            ++end;
        }
        pieces.push_back(
            {text.bytes().substr(begin, end - begin), text.origin(begin) == Origin::Scaffolding});
        begin = end;
    }
    return pieces;
}

/// `bos_token` or `eos_token` of tokenizer_config.json; nothing where there is none.
std::optional<std::string> specialToken(const nlohmann::json &config, const std::string &name,
                                        const std::filesystem::path &file)
{
    const auto entry = config.find(name);
    if (entry == config.end() || entry->is_null()) {
        return std::nullopt;
    }
    return entry->is_object() ? json::stringMember(*entry, "content", name, file)
                              : json::stringMember(config, name, "", file);
}

std::string templateOf(const nlohmann::json &config, const std::filesystem::path &file)
{
    const nlohmann::json &entry = json::member(config, "chat_template", "", file);
    if (!entry.is_array()) {
        return json::stringMember(config, "chat_template", "", file);
    }
    for (const nlohmann::json &choice : entry) {
        if (json::stringMember(choice, "name", "chat_template", file) == "default") {
            return json::stringMember(choice, "template", "chat_template", file);
        }
    }
    throwFileError(file, "chat_template", "a template named \"default\"", "none");
}

std::string readTemplateFile(const std::filesystem::path &file)
{
    const std::uintmax_t size = std::filesystem::file_size(file);
    if (size > limits::maxTemplateSource) {
        throwFileError(file, "size", fmt::format("at most {} bytes", limits::maxTemplateSource),
                       std::to_string(size));
    }
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    if (!stream) {
        throw Error(fmt::format("{}: cannot be read", toUtf8(file)));
    }
    return text.str();
}

const char *roleName(Role role)
{
    switch (role) {
    case Role::System:
        return "system";
    case Role::User:
        return "user";
    case Role::Assistant:
        return "assistant";
    }
    return "";
}

} // namespace

struct ChatTemplate::Impl {
    std::string name;
    jinja::Block block;
    std::optional<std::string> bosToken;
    std::optional<std::string> eosToken;
    std::function<std::time_t()> clock = [] { return std::time(nullptr); };

    template <typename Json>
    [[nodiscard]] std::vector<PromptPiece> render(const Json &variables) const
    {
        if (!variables.is_object()) {
            throw Error(fmt::format("{}: expected an object of variables", name));
        }
        jinja::Interpreter interpreter(name, clock);
        if (bosToken) {
            interpreter.define("bos_token", jinja::makeText(*bosToken));
        }
        if (eosToken) {
            interpreter.define("eos_token", jinja::makeText(*eosToken));
        }
        for (const auto &[key, value] : variables.items()) {
            const Origin origin = key == "messages" ? Origin::Content : Origin::Scaffolding;
            interpreter.define(key, toValue(interpreter, value, origin));
        }
        return toPieces(interpreter.render(block));
    }
};

ChatTemplate::ChatTemplate(const std::string &source, const std::string &name)
    : m_impl(std::make_unique<Impl>())
{
    m_impl->name = name;
    m_impl->block = jinja::parse(utf8::sanitised(source), m_impl->name);
}

ChatTemplate::ChatTemplate(ChatTemplate &&) noexcept = default;
ChatTemplate &ChatTemplate::operator=(ChatTemplate &&) noexcept = default;
ChatTemplate::~ChatTemplate() = default;

ChatTemplate ChatTemplate::fromModelDirectory(const std::filesystem::path &directory)
{
    const std::filesystem::path configFile = directory / "tokenizer_config.json";
    const std::filesystem::path templateFile = directory / "chat_template.jinja";
    const bool separate = std::filesystem::exists(templateFile);
    const nlohmann::json config = separate && !std::filesystem::exists(configFile)
        ? nlohmann::json::object()
        : json::readFile(configFile, limits::maxTemplateFileBytes);
    if (!config.is_object()) {
        throwFileError(configFile, "the file", "an object", json::shown(config));
    }
    ChatTemplate result = separate ? ChatTemplate(readTemplateFile(templateFile), toUtf8(templateFile))
                                   : ChatTemplate(templateOf(config, configFile), toUtf8(configFile));
    result.m_impl->bosToken = specialToken(config, "bos_token", configFile);
    result.m_impl->eosToken = specialToken(config, "eos_token", configFile);
    return result;
}

ChatTemplate ChatTemplate::fromGguf(const nlohmann::json &metadata, const std::filesystem::path &file)
{
    ChatTemplate result(json::stringMember(metadata, "tokenizer.chat_template", "", file), toUtf8(file));
    const auto token = [&](const char *key) -> std::optional<std::string> {
        const nlohmann::json id = metadata.value(key, nlohmann::json());
        const nlohmann::json &tokens = json::member(metadata, "tokenizer.ggml.tokens", "", file);
        const bool known = id.is_number_unsigned() && tokens.is_array() && id < tokens.size();
        const nlohmann::json text = known ? tokens.at(id.get<std::size_t>()) : nlohmann::json();
        return text.is_string() ? std::optional(text.get<std::string>()) : std::nullopt;
    };
    result.m_impl->bosToken = token("tokenizer.ggml.bos_token_id");
    result.m_impl->eosToken = token("tokenizer.ggml.eos_token_id");
    return result;
}

std::vector<PromptPiece> ChatTemplate::render(const nlohmann::json &variables) const
{
    return m_impl->render(variables);
}

std::vector<PromptPiece> ChatTemplate::renderOrdered(const nlohmann::ordered_json &variables) const
{
    return m_impl->render(variables);
}

std::vector<PromptPiece> ChatTemplate::renderPrompt(const std::vector<Message> &messages) const
{
    nlohmann::json list = nlohmann::json::array();
    for (const Message &message : messages) {
        list.push_back({{"role", roleName(message.role)}, {"content", message.content}});
    }
    return render({{"messages", std::move(list)}, {"add_generation_prompt", true}});
}

void ChatTemplate::setClock(std::function<std::time_t()> clock)
{
    m_impl->clock = std::move(clock);
}

} // namespace bathyscope
