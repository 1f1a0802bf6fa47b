// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/limits.h"
#include "storage/base64.h"
#include "storage/exchange.h"
#include "storage/exchange_json.h"
#include "storage/json_values.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

namespace bathyscope::storage {

namespace {

std::string text(const Json &json, const char *key)
{
    const auto found = json.find(key);
    if (found == json.end())
        return {};
    if (found->is_object())
        return fromBase64(found->at("base64").get_ref<const std::string &>());
    return found->get<std::string>();
}

template <typename Value>
Value integer(const Json &json)
{
    // nlohmann-json wraps what does not fit.
    if (!json.is_number_integer())
        throw Error(fmt::format("expected a whole number, found {}", json.type_name()));
    const bool fits = json.is_number_unsigned()
        ? json.get<std::uint64_t>() <= static_cast<std::uint64_t>(std::numeric_limits<Value>::max())
        : json.get<std::int64_t>() >= std::numeric_limits<Value>::min()
            && json.get<std::int64_t>() <= std::numeric_limits<Value>::max();
    if (!fits)
        throw Error("a number is too large");
    return json.get<Value>();
}

template <typename Value>
Value integer(const Json &json, const char *key, Value missing)
{
    const auto found = json.find(key);
    return found == json.end() || found->is_null() ? missing : integer<Value>(*found);
}

std::optional<std::int64_t> optionalId(const Json &json, const char *key)
{
    const auto found = json.find(key);
    return found == json.end() || found->is_null() ? std::nullopt
                                                   : std::optional(integer<std::int64_t>(*found));
}

float number(const Json &json)
{
    if (json.is_number())
        return static_cast<float>(json.get<double>());
    const auto &name = json.get_ref<const std::string &>();
    if (name == "nan")
        return std::numeric_limits<float>::quiet_NaN();
    if (name == "inf" || name == "-inf")
        return name == "inf" ? std::numeric_limits<float>::infinity()
                             : -std::numeric_limits<float>::infinity();
    throw Error(fmt::format("expected a number, found \"{}\"", name));
}

float number(const Json &json, const char *key)
{
    const auto found = json.find(key);
    return found == json.end() ? 0.0F : number(*found);
}

TokenRecord readToken(const Json &json)
{
    TokenRecord token;
    token.id = integer<TokenId>(json, "id", -1);
    token.section =
        static_cast<Section>(std::min<std::uint8_t>(integer<std::uint8_t>(json, "section", 1), 2));
    token.bytes = text(json, "bytes");
    token.logProb = number(json, "log_prob");
    token.seconds = number(json, "seconds");
    token.restMass = number(json, "rest");
    if (const auto top = json.find("top"); top != json.end())
        for (const Json &entry : *top)
            token.top.push_back({integer<TokenId>(entry.at(0)), number(entry.at(1))});
    if (const auto experts = json.find("experts"); experts != json.end())
        for (const Json &entry : *experts)
            token.experts.push_back({integer<std::uint16_t>(entry.at(0)), number(entry.at(1))});
    return token;
}

MessageState stateOf(const std::string &name)
{
    if (name == "stopped")
        return MessageState::Stopped;
    if (name == "interrupted")
        return MessageState::Interrupted;
    return name == "failed" ? MessageState::Failed : MessageState::Complete;
}

template <typename Value>
void readValue(const Json &json, const char *key, std::optional<Value> &value)
{
    const auto found = json.find(key);
    if (found != json.end() && found->is_object())
        fromJson(found->dump(-1, ' ', false, Json::error_handler_t::replace), value.emplace());
}

/// The lines of a text; the last may lack its end.
std::string_view takeLine(std::string_view &rest)
{
    const std::size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r')
        line.remove_suffix(1);
    return line;
}

/// All lines of one kind: a message each, or a conversation each.
class PlainLines {
public:
    void add(const Json &line)
    {
        const auto messages = line.find("messages");
        if (messages == line.end()) {
            m_single.push_back(line);
            return;
        }
        m_file.conversations.push_back(readPlainMessages(*messages, m_file.notes));
        if (m_file.conversations.size() > limits::maxImportConversations)
            throw Error("too many conversations in one file");
    }
    ImportedFile take()
    {
        if (!m_single.empty())
            m_file.conversations.push_back(readPlainMessages(m_single, m_file.notes));
        return std::move(m_file);
    }

private:
    Json m_single = Json::array();
    ImportedFile m_file;
};

ImportedFile readLines(std::string_view rest)
{
    JsonLinesReader ours;
    PlainLines plain;
    bool isOurs = false;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::string_view line = takeLine(rest);
        if (line.find_first_not_of(" \t") == std::string_view::npos)
            continue;
        try {
            const Json json = parseForeign(line);
            if (!json.is_object())
                throw Error("expected an object");
            isOurs = isOurs || stringAt(json, "type") == "bathyscope";
            if (isOurs)
                ours.add(json);
            else
                plain.add(json);
        } catch (const Json::exception &error) {
            throw Error(fmt::format("line {}: {}", number, error.what()));
        } catch (const Error &error) {
            throw Error(fmt::format("line {}: {}", number, error.what()));
        }
    }
    return isOurs ? ours.take() : plain.take();
}

} // namespace

Json parseForeign(std::string_view text)
{
    const auto limitDepth = [](int depth, Json::parse_event_t, Json &) {
        if (depth > limits::maxImportDepth)
            throw Error(
                fmt::format("expected at most {} levels of nesting, found more", limits::maxImportDepth));
        return true;
    };
    try {
        return Json::parse(text.begin(), text.end(), limitDepth);
    } catch (const Json::exception &error) {
        throw Error(error.what());
    }
}

std::string stringAt(const Json &json, const char *key)
{
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void JsonLinesReader::add(const Json &line)
{
    const std::string type = stringAt(line, "type");
    if (type == "bathyscope") {
        if (integer<int>(line, "version", 1) != 1)
            throw Error("this file is of a newer version. Update Bathyscope to import it.");
    } else if (type == "conversation") {
        addConversation(line);
    } else if (type == "message") {
        addMessage(line);
    } else {
        m_file.notes = fmt::format("Lines of the unknown type \"{}\" were left out.", type.substr(0, 40));
    }
}

void JsonLinesReader::addConversation(const Json &json)
{
    if (m_file.conversations.size() >= limits::maxImportConversations)
        throw Error("too many conversations in one file");
    ExchangedConversation conversation;
    Conversation &info = conversation.info;
    info.id = integer<std::int64_t>(json.at("id"));
    info.title = text(json, "title");
    info.systemPrompt = text(json, "system_prompt");
    info.pinned = json.value("pinned", false);
    info.created = integer<Milliseconds>(json, "created", 0);
    info.updated = integer<Milliseconds>(json, "updated", info.created);
    info.leaf = optionalId(json, "leaf");
    conversation.folder = text(json, "folder");
    m_file.conversations.push_back(std::move(conversation));
}

void JsonLinesReader::addMessage(const Json &json)
{
    ExchangedMessage exchanged;
    StoredMessage &message = exchanged.message;
    message.id = integer<std::int64_t>(json.at("id"));
    message.conversation = integer<std::int64_t>(json.at("conversation"));
    if (m_file.conversations.empty() || m_file.conversations.back().info.id != message.conversation)
        throw Error(
            fmt::format("message {}: expected after its conversation {}", message.id, message.conversation));
    if (++m_messages > limits::maxImportMessages)
        throw Error("too many messages in one file");
    message.parent = optionalId(json, "parent");
    message.role = roleOf(stringAt(json, "role"));
    message.state = stateOf(stringAt(json, "state"));
    message.created = integer<Milliseconds>(json, "created", 0);
    message.text = text(json, "text");
    message.reasoning = text(json, "reasoning");
    message.error = text(json, "error");
    message.model = text(json, "model");
    readValue(json, "sampling", message.sampling);
    readValue(json, "summary", message.summary);
    if (const auto tokens = json.find("tokens"); tokens != json.end())
        for (const Json &token : *tokens)
            exchanged.tokens.push_back(readToken(token));
    ExchangedConversation &conversation = m_file.conversations.back();
    conversation.messages.push_back(std::move(exchanged));
    conversation.info.messages = static_cast<std::int64_t>(conversation.messages.size());
}

ImportedFile JsonLinesReader::take()
{
    return std::move(m_file);
}

ImportedFile readConversations(std::string_view bytes)
{
    if (bytes.size() > limits::maxImportBytes)
        throw Error(fmt::format("expected a file of at most {} bytes, found {}", limits::maxImportBytes,
                                bytes.size()));
    if (bytes.substr(0, 3) == "\xEF\xBB\xBF")
        bytes.remove_prefix(3);
    const std::size_t first = bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos)
        throw Error("expected conversations, found an empty file");
    try {
        ImportedFile file = bytes[first] == '[' ? readChatGpt(parseForeign(bytes)) : readLines(bytes);
        if (file.conversations.empty())
            throw Error("expected conversations, found none in this file");
        return file;
    } catch (const Json::exception &error) {
        throw Error(error.what());
    }
}

} // namespace bathyscope::storage
