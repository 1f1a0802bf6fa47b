// SPDX-License-Identifier: GPL-3.0-or-later
//
// Formats of other programs.
#include "engine/limits.h"
#include "storage/exchange_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace bathyscope::storage {

namespace {

constexpr std::size_t kTitleBytes = 60;

std::string titleFrom(const std::string &text)
{
    std::string title = text.substr(0, text.find('\n'));
    if (title.size() > kTitleBytes) {
        std::size_t end = kTitleBytes;
        while (end > 0 && (static_cast<unsigned char>(title[end]) & 0xC0U) == 0x80)
            --end; // not inside a character
        title = title.substr(0, end) + "…";
    }
    return title;
}

/// Seconds since 1970 as ChatGPT writes them; 0 for what is no time.
Milliseconds time(const Json &json, const char *key)
{
    const auto found = json.find(key);
    const double seconds = found != json.end() && found->is_number() ? found->get<double>() : 0;
    return seconds > 0 && seconds < 1e11 ? static_cast<Milliseconds>(std::llround(seconds * 1000)) : 0;
}

void appendParagraph(std::string &text, const std::string &more)
{
    if (!text.empty() && !more.empty())
        text += "\n\n";
    text += more;
}

/// One conversation of ChatGPT: nodes by name, each with an optional message, a parent and children.
class ChatGptTree {
public:
    explicit ChatGptTree(const Json &json)
        : m_json(json)
        , m_mapping(json.at("mapping"))
    {
        if (!m_mapping.is_object())
            throw Error("mapping: expected an object");
    }

    ExchangedConversation read()
    {
        m_result.info.id = 1;
        m_result.info.title = stringAt(m_json, "title");
        m_result.info.created = time(m_json, "create_time");
        m_result.info.updated = std::max(m_result.info.created, time(m_json, "update_time"));
        for (const auto &[name, node] : m_mapping.items())
            if (node.is_object() && !m_mapping.contains(stringAt(node, "parent")))
                walk(name);
        m_result.info.messages = static_cast<std::int64_t>(m_result.messages.size());
        const auto leaf = m_places.find(stringAt(m_json, "current_node"));
        if (leaf != m_places.end() && leaf->second)
            m_result.info.leaf = m_result.messages[*leaf->second].message.id;
        else if (!m_result.messages.empty())
            m_result.info.leaf = m_result.messages.back().message.id;
        return std::move(m_result);
    }

    [[nodiscard]] std::size_t leftOut() const { return m_leftOut; }

private:
    using Place = std::optional<std::size_t>; ///< index of the message a node went to; none: to no message

    struct Step {
        std::string node;
        Place parent;
        bool only; ///< its parent has no other child
    };

    void walk(const std::string &root)
    {
        std::vector<Step> steps{{root, std::nullopt, true}};
        while (!steps.empty()) {
            const Step step = std::move(steps.back());
            steps.pop_back();
            const auto node = m_mapping.find(step.node);
            // A node that was seen already is part of a circle.
            if (node == m_mapping.end() || !node->is_object() || m_places.contains(step.node))
                continue;
            const Place place = add(*node, step);
            m_places.emplace(step.node, place);
            const auto children = node->find("children");
            if (children == node->end() || !children->is_array())
                continue;
            // The last child is taken from the stack last if the first is put there last.
            for (auto child = children->rbegin(); child != children->rend(); ++child)
                if (child->is_string())
                    steps.push_back({child->get<std::string>(), place, children->size() == 1});
        }
    }

    /// Adds the node's message, or adds its text to that of its parent, or leaves it out.
    Place add(const Json &node, const Step &step)
    {
        const auto found = node.find("message");
        if (found == node.end() || !found->is_object())
            return step.parent;
        const Json &message = *found;
        const auto author = message.find("author");
        const std::string role =
            author != message.end() && author->is_object() ? stringAt(*author, "role") : std::string();
        std::string answer;
        std::string reasoning;
        readContent(message, role, answer, reasoning);
        if (answer.empty() && reasoning.empty()) {
            ++m_leftOut;
            return step.parent;
        }
        const Role ours = role == "tool" ? Role::Assistant : roleOf(role);
        // A reply with thoughts, calls of tools and an answer is a chain of nodes there and one message here.
        if (ours == Role::Assistant && step.only && step.parent
            && m_result.messages[*step.parent].message.role == Role::Assistant) {
            StoredMessage &whole = m_result.messages[*step.parent].message;
            appendParagraph(whole.text, answer);
            appendParagraph(whole.reasoning, reasoning);
            return step.parent;
        }
        StoredMessage stored;
        stored.id = static_cast<MessageId>(m_result.messages.size()) + 1;
        stored.conversation = m_result.info.id;
        if (step.parent)
            stored.parent = m_result.messages[*step.parent].message.id;
        stored.role = ours;
        stored.text = std::move(answer);
        stored.reasoning = std::move(reasoning);
        stored.created = time(message, "create_time");
        m_result.messages.push_back({std::move(stored), {}});
        return m_result.messages.size() - 1;
    }

    static void readContent(const Json &message, const std::string &role, std::string &answer,
                            std::string &reasoning)
    {
        const auto content = message.find("content");
        if (content == message.end() || !content->is_object())
            return;
        const std::string type = stringAt(*content, "content_type");
        if (const auto thoughts = content->find("thoughts");
            thoughts != content->end() && thoughts->is_array()) {
            for (const Json &thought : *thoughts)
                if (thought.is_object())
                    appendParagraph(reasoning, stringAt(thought, "content"));
        } else if (const auto parts = content->find("parts"); parts != content->end()) {
            answer = contentText(*parts);
        } else if (type == "code" || type == "execution_output") {
            const std::string code = stringAt(*content, "text");
            answer = code.empty() ? code : fmt::format("```\n{}\n```", code);
        } else if (type != "user_editable_context" && type != "reasoning_recap") {
            answer = stringAt(*content, "text");
        }
        if (role == "tool" && !answer.empty() && answer.rfind("```", 0) != 0)
            answer = fmt::format("```\n{}\n```", answer);
    }

    const Json &m_json;
    const Json &m_mapping;
    ExchangedConversation m_result;
    std::map<std::string, Place> m_places;
    std::size_t m_leftOut = 0;
};

} // namespace

Role roleOf(const std::string &name)
{
    if (name == "assistant" || name == "model" || name == "gpt" || name == "ai")
        return Role::Assistant;
    return name == "system" || name == "developer" ? Role::System : Role::User;
}

std::string contentText(const Json &content)
{
    if (content.is_string())
        return content.get<std::string>();
    std::string text;
    if (!content.is_array())
        return text;
    for (const Json &part : content) {
        if (part.is_string())
            appendParagraph(text, part.get<std::string>());
        else if (part.is_object() && part.contains("text"))
            appendParagraph(text, stringAt(part, "text"));
        else if (part.is_object())
            appendParagraph(
                text,
                fmt::format("[{}]", stringAt(part, part.contains("content_type") ? "content_type" : "type")));
    }
    return text;
}

ImportedFile readChatGpt(const Json &file)
{
    ImportedFile imported;
    std::size_t messages = 0;
    std::size_t damaged = 0;
    for (const Json &conversation : file) {
        if (!conversation.is_object() || !conversation.contains("mapping")) {
            ++damaged;
            continue;
        }
        ChatGptTree tree(conversation);
        imported.conversations.push_back(tree.read());
        messages += imported.conversations.back().messages.size();
        if (imported.conversations.size() > limits::maxImportConversations
            || messages > limits::maxImportMessages)
            throw Error("too many conversations or messages in one file");
    }
    if (damaged > 0)
        imported.notes = fmt::format("{} entries that are no conversations were left out.", damaged);
    return imported;
}

ExchangedConversation readPlainMessages(const Json &messages, std::string &notes)
{
    if (!messages.is_array())
        throw Error("messages: expected a list");
    ExchangedConversation conversation;
    conversation.info.id = 1;
    for (const Json &line : messages) {
        if (!line.is_object() || !line.contains("role") || !line.contains("content"))
            throw Error("expected a message with \"role\" and \"content\"");
        const Role role = roleOf(stringAt(line, "role"));
        const std::string text = contentText(line.at("content"));
        if (role == Role::System && conversation.messages.empty()) {
            appendParagraph(conversation.info.systemPrompt, text);
            continue;
        }
        if (line.contains("tool_calls"))
            notes = "Calls of tools were left out.";
        StoredMessage message;
        message.id = static_cast<MessageId>(conversation.messages.size()) + 1;
        message.conversation = conversation.info.id;
        if (!conversation.messages.empty())
            message.parent = conversation.messages.back().message.id;
        message.role = role;
        message.text = text;
        message.reasoning = stringAt(line, "reasoning_content");
        if (conversation.info.title.empty())
            conversation.info.title = titleFrom(text);
        conversation.messages.push_back({std::move(message), {}});
        if (conversation.messages.size() > limits::maxImportMessages)
            throw Error("too many messages in one file");
    }
    conversation.info.messages = static_cast<std::int64_t>(conversation.messages.size());
    if (!conversation.messages.empty())
        conversation.info.leaf = conversation.messages.back().message.id;
    return conversation;
}

} // namespace bathyscope::storage
