// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/arguments.h"
#include "app/tools/builtin_model.h"
#include "app/tools/tool_io.h"
#include "app/tools/trace_commands.h"
#include "engine/error.h"
#include "engine/trace/trace_file.h"

#include <fmt/format.h>

#include <cmath>
#include <cstdio>

namespace bathyscope::app {

namespace {

/// Prints tokens as they come and keeps them.
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
        fmt::print("{}\n", tokenLine(record, m_model, m_inspect));
        std::fflush(stdout);
        m_tokens.push_back(std::move(record));
    }

    [[nodiscard]] std::vector<TokenRecord> &tokens() { return m_tokens; }

private:
    const ModelInfo &m_model;
    bool m_inspect;
    std::vector<TokenRecord> m_tokens;
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
    request.trace = arguments.flag("--inspect") || arguments.value("--out")
        ? TraceOptions{}
        : TraceOptions{.candidates = 0, .routing = false};
    return request;
}

/// The conversation as a file, by the ending of its name.
void writeTrace(const std::string &path, const Arguments &arguments, const ModelInfo &model,
                std::vector<TokenRecord> tokens, const GenerationSummary &summary)
{
    std::vector<TracedMessage> messages;
    if (const auto system = arguments.value("--system"))
        messages.push_back({Role::System, *system, {}, nullptr, {}});
    if (const auto prompt = arguments.value("--prompt"))
        messages.push_back({Role::User, *prompt, {}, nullptr, {}});
    messages.push_back(
        {Role::Assistant, {}, std::move(tokens), std::make_shared<const ModelInfo>(model), summary});
    writeTraceFile(fromUtf8(path), messages);
}

} // namespace

int traceGenerate(const std::vector<std::string> &words)
{
    const Arguments arguments(words,
                              withBackendOptions({"--model", "--prompt", "--ids", "--system", "--temperature",
                                                  "--max-tokens", "--seed", "--out"}),
                              withBackendFlags({"--inspect"}));
    const auto backend =
        openLocalBackend(arguments.value("--model").value_or("").empty() ? toUtf8(requireBuiltinModel())
                                                                         : arguments.require("--model"),
                         backendOptions(arguments));
    if (const auto out = arguments.value("--out"))
        requireTraceFormat(fromUtf8(*out)); // before the work is done
    const Request request = makeRequest(arguments, backend->model());
    LineSink sink(backend->model(), arguments.flag("--inspect"));
    const GenerationSummary summary = backend->createSession()->generate(request, sink, {});
    fmt::print("{}\n", summaryLine(sink.tokens(), summary));
    if (const auto out = arguments.value("--out"))
        writeTrace(*out, arguments, backend->model(), std::move(sink.tokens()), summary);
    return 0;
}

} // namespace bathyscope::app
