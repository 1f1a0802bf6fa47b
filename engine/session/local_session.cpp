// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/local_session.h"

#include "engine/error.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

double secondsSince(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

} // namespace

LocalSession::LocalSession(LocalBackend &backend)
    : m_backend(backend)
    , m_cache(backend.executor().createCache(backend.model().contextLength))
{
}

GenerationSummary LocalSession::generate(const Request &request, TokenSink &sink, std::stop_token stop)
{
    const Clock::time_point start = Clock::now();
    const LocalBackend::Prompt prompt = m_backend.preparePrompt(request);
    if (prompt.ids.empty())
        throw Error("the prompt is empty");
    if (static_cast<std::int32_t>(prompt.ids.size()) > m_cache->capacity())
        throw Error(
            fmt::format("the conversation has {} tokens, more than the context of {}: start a new one, or "
                        "choose a longer context in the settings",
                        prompt.ids.size(), m_cache->capacity()));
    Run run{request, sink, Sampler(request.sampling), ReasoningParser(prompt.text), start, {}, {}};
    run.summary.promptTokens = static_cast<std::int32_t>(prompt.ids.size());
    run.sampler.observe(prompt.ids);

    const bool prefilled = prefill(run, prompt.ids, stop);
    run.summary.prefillSeconds = secondsSince(start);
    if (prefilled) {
        run.summary.finish = decode(run, stop);
        run.summary.decodeSeconds = secondsSince(start) - run.summary.prefillSeconds;
        for (TokenRecord &record : run.parser.finish())
            sink.onToken(std::move(record));
    } else {
        run.summary.finish = FinishReason::Cancelled;
    }
    run.summary.contextUsed = m_cache->length();
    return run.summary;
}

bool LocalSession::prefill(Run &run, const std::vector<TokenId> &prompt, std::stop_token stop)
{
    const auto shared =
        std::mismatch(prompt.begin(), prompt.end(), m_cached.begin(), m_cached.end()).first - prompt.begin();
    // The last token is computed in any case: its logits are needed.
    const auto reused = std::min<std::size_t>(static_cast<std::size_t>(shared), prompt.size() - 1);
    m_cached.resize(reused);
    m_cache->truncate(static_cast<std::int32_t>(reused));
    run.summary.reusedTokens = static_cast<std::int32_t>(reused);
    const auto total = static_cast<std::int32_t>(prompt.size());
    const auto chunk = static_cast<std::size_t>(m_backend.executor().maxChunk());
    run.sink.onPrefill({m_cache->length(), total});
    for (std::size_t begin = reused; begin < prompt.size();) {
        if (stop.stop_requested())
            return false;
        const std::size_t count = std::min(chunk, prompt.size() - begin);
        forward(run, {prompt.data() + begin, count}, begin + count == prompt.size());
        begin += count;
        run.sink.onPrefill({static_cast<std::int32_t>(begin), total});
    }
    return true;
}

void LocalSession::forward(Run &run, std::span<const TokenId> tokens, bool last)
{
    m_backend.executor().forward({.tokens = tokens,
                                  .logits = last ? LogitsOf::LastToken : LogitsOf::None,
                                  .routing = last && run.request.trace.routing},
                                 *m_cache, run.result);
    m_backend.expectWholeModel();
    m_cached.insert(m_cached.end(), tokens.begin(), tokens.end());
}

TokenRecord LocalSession::nextRecord(Run &run) const
{
    const std::vector<float> &logits = run.result.logits;
    TokenRecord record;
    record.id = run.sampler.choose(logits);
    Distribution distribution = describeDistribution(logits, run.request.trace.candidates);
    record.logProb = logits[static_cast<std::size_t>(record.id)] - distribution.logSumExp;
    record.top = std::move(distribution.top);
    record.restMass = distribution.restMass;
    record.experts = run.result.routing;
    record.bytes = (*m_backend.model().vocabulary)[static_cast<std::size_t>(record.id)];
    record.seconds = static_cast<float>(secondsSince(run.start));
    return record;
}

FinishReason LocalSession::decode(Run &run, std::stop_token stop)
{
    const std::int32_t limit = run.request.sampling.maxTokens;
    while (!stop.stop_requested()) {
        TokenRecord record = nextRecord(run);
        const TokenId id = record.id;
        ++run.summary.generatedTokens;
        if (m_backend.endsSequence(id)) {
            record.section = Section::Marker;
            for (TokenRecord &held : run.parser.finish())
                run.sink.onToken(std::move(held));
            run.sink.onToken(std::move(record));
            return FinishReason::EndOfSequence;
        }
        for (TokenRecord &ready : run.parser.push(std::move(record)))
            run.sink.onToken(std::move(ready));
        if (limit > 0 && run.summary.generatedTokens >= limit)
            return FinishReason::MaxTokens;
        if (m_cache->length() == m_cache->capacity())
            return FinishReason::ContextFull;
        run.sampler.observe({&id, 1});
        forward(run, {&id, 1}, true);
    }
    return FinishReason::Cancelled;
}

} // namespace bathyscope
