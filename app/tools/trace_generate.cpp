// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/arguments.h"
#include "app/tools/builtin_model.h"
#include "app/tools/tool_io.h"
#include "app/tools/trace_commands.h"
#include "engine/error.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>

namespace bathyscope::app {

namespace {

using nlohmann::json;

/// Bytes as JSON text; what is not valid UTF-8 by itself becomes U+FFFD.
std::string dump(const json &value)
{
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

/// Prints tokens as they come and keeps the text of both sections.
class LineSink : public TokenSink {
public:
    LineSink(const ModelInfo &model, bool inspect)
        : m_model(model)
        , m_inspect(inspect)
    {
    }

    void onPrefill(const PrefillProgress &) override { }

    void onToken(TokenRecord &&record) override
    {
        if (record.section == Section::Reasoning)
            m_reasoning += record.bytes;
        else if (record.section == Section::Answer)
            m_answer += record.bytes;
        json line = {{"id", record.id}, {"text", record.bytes}, {"logprob", record.logProb}};
        if (m_inspect)
            inspect(record, line);
        fmt::print("{}\n", dump(line));
        std::fflush(stdout);
    }

    [[nodiscard]] const std::string &reasoning() const { return m_reasoning; }
    [[nodiscard]] const std::string &answer() const { return m_answer; }

private:
    void inspect(const TokenRecord &record, json &line) const
    {
        json top = json::array();
        for (const Candidate &candidate : record.top)
            top.push_back({{"id", candidate.id},
                           {"text", (*m_model.vocabulary)[static_cast<std::size_t>(candidate.id)]},
                           {"logprob", candidate.logProb}});
        line["top"] = std::move(top);
        line["rest"] = record.restMass;
        json experts = json::array();
        const auto k = static_cast<std::size_t>(m_model.expertsPerToken);
        for (std::size_t i = 0; i < record.experts.size(); ++i) {
            if (i % k == 0)
                experts.push_back({{"layer", m_model.moeLayers[i / k]},
                                   {"ids", json::array()},
                                   {"weights", json::array()}});
            experts.back()["ids"].push_back(record.experts[i].expert);
            experts.back()["weights"].push_back(record.experts[i].weight);
        }
        line["experts"] = std::move(experts);
    }

    const ModelInfo &m_model;
    bool m_inspect;
    std::string m_reasoning;
    std::string m_answer;
};

Request makeRequest(const Arguments &arguments, const ModelInfo &model)
{
    Request request;
    const auto prompt = arguments.value("--prompt");
    const auto ids = arguments.value("--ids");
    if (prompt.has_value() == ids.has_value())
        throw Error("expected either --prompt or --ids (see --help)");
    if (ids) {
        request.prompt = readIds(*ids, model);
    } else {
        std::vector<Message> messages;
        if (const auto system = arguments.value("--system"))
            messages.push_back({Role::System, *system});
        messages.push_back({Role::User, *prompt});
        request.prompt = std::move(messages);
    }
    request.sampling = model.defaults;
    request.sampling.temperature =
        static_cast<float>(arguments.number("--temperature", model.defaults.temperature, 0, 100));
    request.sampling.maxTokens =
        static_cast<std::int32_t>(arguments.integer("--max-tokens", 0, 0, INT32_MAX));
    if (arguments.value("--seed"))
        request.sampling.seed = static_cast<std::uint64_t>(arguments.integer("--seed", 0, 0, INT64_MAX));
    request.trace =
        arguments.flag("--inspect") ? TraceOptions{} : TraceOptions{.candidates = 0, .routing = false};
    return request;
}

const char *finishName(FinishReason reason)
{
    constexpr const char *names[] = {"eos", "max_tokens", "context_full", "cancelled", "error"};
    return names[static_cast<int>(reason)];
}

} // namespace

int traceGenerate(const std::vector<std::string> &words)
{
    const Arguments arguments(words,
                              {"--model", "--prompt", "--ids", "--system", "--temperature", "--max-tokens",
                               "--seed", "--device", "--threads"},
                              {"--inspect"});
    const auto backend =
        openLocalBackend(arguments.value("--model").value_or("").empty() ? toUtf8(requireBuiltinModel())
                                                                         : arguments.require("--model"),
                         backendOptions(arguments));
    const Request request = makeRequest(arguments, backend->model());
    LineSink sink(backend->model(), arguments.flag("--inspect"));
    const GenerationSummary summary = backend->createSession()->generate(request, sink, {});
    fmt::print("{}\n",
               dump({{"finish", finishName(summary.finish)},
                     {"reasoning", sink.reasoning()},
                     {"answer", sink.answer()},
                     {"prompt_tokens", summary.promptTokens},
                     {"generated_tokens", summary.generatedTokens},
                     {"prefill_seconds", summary.prefillSeconds},
                     {"decode_seconds", summary.decodeSeconds}}));
    return 0;
}

} // namespace bathyscope::app
