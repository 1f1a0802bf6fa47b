// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/trace/trace_lines.h"

#include "engine/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace bathyscope {

namespace {

using nlohmann::json;

std::string dump(const json &value)
{
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

const char *sectionName(Section section)
{
    constexpr const char *names[] = {"reasoning", "answer", "marker"};
    return names[static_cast<int>(section)];
}

const char *roleName(Role role)
{
    constexpr const char *names[] = {"system", "user", "assistant"};
    return names[static_cast<int>(role)];
}

const char *finishName(FinishReason reason)
{
    constexpr const char *names[] = {"eos", "max_tokens", "context_full", "cancelled", "error"};
    return names[static_cast<int>(reason)];
}

json candidates(const TokenRecord &record, const Vocabulary *vocabulary)
{
    json top = json::array();
    for (const Candidate &candidate : record.top) {
        json entry = {{"id", candidate.id}, {"logprob", candidate.logProb}};
        if (vocabulary && static_cast<std::size_t>(candidate.id) < vocabulary->size())
            entry["text"] = (*vocabulary)[static_cast<std::size_t>(candidate.id)];
        top.push_back(std::move(entry));
    }
    return top;
}

json experts(const TokenRecord &record, const ModelInfo &model)
{
    json layers = json::array();
    const auto k = static_cast<std::size_t>(model.expertsPerToken);
    if (k == 0 || record.experts.size() != model.moeLayers.size() * k)
        return layers;
    for (std::size_t i = 0; i < record.experts.size(); ++i) {
        if (i % k == 0)
            layers.push_back(
                {{"layer", model.moeLayers[i / k]}, {"ids", json::array()}, {"weights", json::array()}});
        layers.back()["ids"].push_back(record.experts[i].expert);
        layers.back()["weights"].push_back(record.experts[i].weight);
    }
    return layers;
}

std::string textOf(std::span<const TokenRecord> tokens, Section section)
{
    std::string text;
    for (const TokenRecord &token : tokens)
        if (token.section == section)
            text += token.bytes;
    return text;
}

} // namespace

std::string tokenLine(const TokenRecord &record, const ModelInfo &model, bool inspect)
{
    json line = {{"id", record.id},
                 {"text", record.bytes},
                 {"logprob", record.logProb},
                 {"section", sectionName(record.section)},
                 {"seconds", record.seconds}};
    if (inspect) {
        line["top"] = candidates(record, model.vocabulary.get());
        line["rest"] = record.restMass;
        line["experts"] = experts(record, model);
    }
    return dump(line);
}

std::string summaryLine(std::span<const TokenRecord> tokens, const GenerationSummary &summary)
{
    return dump({{"finish", finishName(summary.finish)},
                 {"reasoning", textOf(tokens, Section::Reasoning)},
                 {"answer", textOf(tokens, Section::Answer)},
                 {"prompt_tokens", summary.promptTokens},
                 {"generated_tokens", summary.generatedTokens},
                 {"prefill_seconds", summary.prefillSeconds},
                 {"decode_seconds", summary.decodeSeconds}});
}

void writeTraceLines(const std::filesystem::path &path, std::span<const TracedMessage> messages)
{
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    for (const TracedMessage &message : messages) {
        const ModelInfo model = message.model ? *message.model : ModelInfo{};
        json head = {{"role", roleName(message.role)}, {"content", message.text}};
        if (message.role == Role::Assistant) {
            head["content"] = textOf(message.tokens, Section::Answer);
            head["model"] = {{"name", model.name}, {"fingerprint", model.fingerprint}};
        }
        file << dump(head) << '\n';
        for (const TokenRecord &token : message.tokens)
            file << tokenLine(token, model, true) << '\n';
        if (message.summary)
            file << summaryLine(message.tokens, *message.summary) << '\n';
    }
    file.close();
    if (!file)
        throw Error(fmt::format("{}: cannot be written", toUtf8(path)));
}

} // namespace bathyscope
