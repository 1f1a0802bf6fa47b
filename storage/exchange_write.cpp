// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/base64.h"
#include "storage/exchange.h"
#include "storage/exchange_json.h"
#include "storage/json_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace bathyscope::storage {

namespace {

constexpr std::array kRoles{"system", "user", "assistant"};
// A reply that is being written is Interrupted for whoever reads the file.
constexpr std::array kStates{"complete", "interrupted", "stopped", "interrupted", "failed"};

Json textJson(const std::string &text)
{
    if (isUtf8(text))
        return text;
    return {{"base64", toBase64(text)}};
}

Json numberJson(float value)
{
    if (std::isnan(value))
        return "nan";
    if (std::isinf(value))
        return value > 0 ? "inf" : "-inf";
    return static_cast<double>(value);
}

Json tokenJson(const TokenRecord &token)
{
    Json json{{"id", token.id},
              {"section", static_cast<int>(token.section)},
              {"bytes", textJson(token.bytes)},
              {"log_prob", numberJson(token.logProb)},
              {"seconds", numberJson(token.seconds)},
              {"rest", numberJson(token.restMass)}};
    for (const Candidate &candidate : token.top)
        json["top"].push_back(Json::array({candidate.id, numberJson(candidate.logProb)}));
    for (const ExpertChoice &choice : token.experts)
        json["experts"].push_back(Json::array({choice.expert, numberJson(choice.weight)}));
    return json;
}

Json messageJson(const ExchangedMessage &exchanged)
{
    const StoredMessage &message = exchanged.message;
    Json json{{"type", "message"},
              {"id", message.id},
              {"conversation", message.conversation},
              {"role", kRoles[static_cast<std::size_t>(message.role)]},
              {"state", kStates[static_cast<std::size_t>(message.state)]},
              {"created", message.created},
              {"text", textJson(message.text)}};
    if (message.parent)
        json["parent"] = *message.parent;
    if (!message.reasoning.empty())
        json["reasoning"] = textJson(message.reasoning);
    if (!message.error.empty())
        json["error"] = textJson(message.error);
    if (!message.model.empty())
        json["model"] = textJson(message.model);
    if (message.sampling)
        json["sampling"] = Json::parse(toJson(*message.sampling));
    if (message.summary)
        json["summary"] = Json::parse(toJson(*message.summary));
    for (const TokenRecord &token : exchanged.tokens)
        json["tokens"].push_back(tokenJson(token));
    return json;
}

/// The messages from the first to the leaf.
std::vector<const StoredMessage *> currentPath(const ExchangedConversation &conversation)
{
    std::map<MessageId, const StoredMessage *> byId;
    for (const ExchangedMessage &exchanged : conversation.messages)
        byId.emplace(exchanged.message.id, &exchanged.message);
    std::vector<const StoredMessage *> path;
    std::optional<MessageId> next = conversation.info.leaf;
    while (next && byId.contains(*next)) {
        path.push_back(byId.at(*next));
        byId.erase(*next); // a circle ends
        next = path.back()->parent;
    }
    std::reverse(path.begin(), path.end());
    return path;
}

std::string quoted(const std::string &text)
{
    std::string result = "> ";
    for (const char c : text) {
        result += c;
        if (c == '\n')
            result += "> ";
    }
    return result;
}

} // namespace

std::string jsonLinesHead()
{
    return "{\"type\":\"bathyscope\",\"version\":1}\n";
}

std::string toJsonLines(const ExchangedConversation &conversation)
{
    const Conversation &info = conversation.info;
    Json json{{"type", "conversation"},        {"id", info.id},
              {"title", textJson(info.title)}, {"system_prompt", textJson(info.systemPrompt)},
              {"pinned", info.pinned},         {"created", info.created},
              {"updated", info.updated}};
    if (info.leaf)
        json["leaf"] = *info.leaf;
    if (!conversation.folder.empty())
        json["folder"] = textJson(conversation.folder);
    std::string lines = json.dump() + '\n';
    for (const ExchangedMessage &message : conversation.messages)
        lines += messageJson(message).dump() + '\n';
    return lines;
}

std::string toMarkdown(const ExchangedConversation &conversation)
{
    std::string title = conversation.info.title;
    std::replace(title.begin(), title.end(), '\n', ' ');
    std::string text = fmt::format("# {}\n", title);
    if (!conversation.info.systemPrompt.empty())
        text += fmt::format("\n## System\n\n{}\n", conversation.info.systemPrompt);
    for (const StoredMessage *message : currentPath(conversation)) {
        constexpr std::array kHeadings{"System", "Question", "Answer"};
        text += fmt::format("\n## {}\n\n", kHeadings[static_cast<std::size_t>(message->role)]);
        if (!message->reasoning.empty())
            text += quoted(message->reasoning) + "\n\n";
        text += message->text + '\n';
        if (!message->error.empty())
            text += fmt::format("\n*{}*\n", message->error);
    }
    return text;
}

} // namespace bathyscope::storage
