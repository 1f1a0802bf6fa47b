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
    , m_timeline{backend.executor().createCache(backend.model().contextLength), {}}
{
}

GenerationSummary LocalSession::generate(const Request &request, TokenSink &sink, std::stop_token stop)
{
    const Clock::time_point start = Clock::now();
    LocalBackend::PreparedPrompt prompt = m_backend.preparePrompt(request.prompt);
    const std::vector<TokenId> replyStart = m_backend.prepareContinuation(request.replyStart);
    prompt.ids.insert(prompt.ids.end(), replyStart.begin(), replyStart.end());
    if (prompt.ids.empty())
        throw Error("the prompt is empty");
    if (static_cast<std::int32_t>(prompt.ids.size()) > m_timeline.cache->capacity())
        throw Error(
            fmt::format("the conversation has {} tokens, more than the context of {}: start a new one, or "
                        "choose a longer context in the settings",
                        prompt.ids.size(), m_timeline.cache->capacity()));
    Run run{.request = request,
            .sink = sink,
            .sampler = Sampler(request.sampling),
            .parser = ReasoningParser(prompt.text),
            .start = start,
            .forced = m_backend.prepareContinuation(request.forced),
            .known = request.replyStart.size(),
            .summary = {},
            .result = {}};
    beginReply(run, request.replyStart);
    run.summary.promptTokens = static_cast<std::int32_t>(prompt.ids.size());
    run.sampler.observe(prompt.ids);

    const bool prefilled = prefill(run, prompt.ids, stop);
    run.summary.prefillSeconds = secondsSince(start);
    if (prefilled) {
        run.summary.finish = decode(run, stop);
        run.summary.decodeSeconds = secondsSince(start) - run.summary.prefillSeconds;
        deliver(run, run.parser.finish());
    } else {
        run.summary.finish = FinishReason::Cancelled;
    }
    run.summary.contextUsed = m_timeline.cache->length();
    return run.summary;
}

/// The parser reads what the reply begins with, so that it knows in which section the rest lies.
void LocalSession::beginReply(Run &run, const std::vector<TokenId> &start) const
{
    for (const TokenId id : start) {
        TokenRecord record;
        record.id = id;
        record.bytes = (*m_backend.model().vocabulary)[static_cast<std::size_t>(id)];
        deliver(run, run.parser.push(std::move(record)));
    }
}

void LocalSession::deliver(Run &run, std::vector<TokenRecord> &&records)
{
    for (TokenRecord &record : records) {
        if (run.known > 0)
            --run.known;
        else
            run.sink.onToken(std::move(record));
    }
}

bool LocalSession::prefill(Run &run, const std::vector<TokenId> &prompt, std::stop_token stop)
{
    const auto shared =
        std::mismatch(prompt.begin(), prompt.end(), m_timeline.tokens.begin(), m_timeline.tokens.end()).first
        - prompt.begin();
    // The last token is computed in any case: its logits are needed.
    const auto reused = std::min<std::size_t>(static_cast<std::size_t>(shared), prompt.size() - 1);
    m_timeline.tokens.resize(reused);
    m_timeline.cache->truncate(static_cast<std::int32_t>(reused));
    run.summary.reusedTokens = static_cast<std::int32_t>(reused);
    const auto total = static_cast<std::int32_t>(prompt.size());
    const auto chunk = static_cast<std::size_t>(m_backend.executor().maxChunk());
    run.sink.onPrefill({m_timeline.cache->length(), total});
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
    ForwardRequest request{.tokens = tokens,
                           .logits = last ? LogitsOf::LastToken : LogitsOf::None,
                           .routing = last && run.request.trace.routing};
    if (last && !isForced(run))
        request.choice = run.sampler.request(run.request.trace.candidates);
    m_backend.executor().forward(request, *m_timeline.cache, run.result);
    m_backend.expectWholeModel();
    m_timeline.tokens.insert(m_timeline.tokens.end(), tokens.begin(), tokens.end());
}

bool LocalSession::isForced(const Run &run)
{
    return static_cast<std::size_t>(run.summary.generatedTokens) < run.forced.size();
}

/// The executor's choice, or one from all logits.
TokenChoice LocalSession::nextToken(Run &run)
{
    const std::size_t candidates = static_cast<std::size_t>(run.request.trace.candidates);
    if (run.result.choice.token >= 0) {
        run.result.choice.distribution.keepBest(candidates);
        return std::move(run.result.choice);
    }
    const std::vector<float> &logits = run.result.logits;
    TokenChoice choice;
    choice.distribution = describeDistribution(logits, run.request.trace.candidates);
    choice.token = isForced(run) ? run.forced[static_cast<std::size_t>(run.summary.generatedTokens)]
                                 : run.sampler.choose(logits);
    choice.logProb = logits[static_cast<std::size_t>(choice.token)] - choice.distribution.logSumExp;
    return choice;
}

TokenRecord LocalSession::nextRecord(Run &run) const
{
    TokenChoice choice = nextToken(run);
    TokenRecord record;
    record.id = choice.token;
    record.logProb = choice.logProb;
    record.top = std::move(choice.distribution.top);
    record.restMass = choice.distribution.restMass;
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
            deliver(run, run.parser.finish());
            run.sink.onToken(std::move(record));
            return FinishReason::EndOfSequence;
        }
        deliver(run, run.parser.push(std::move(record)));
        if (limit > 0 && run.summary.generatedTokens >= limit)
            return FinishReason::MaxTokens;
        if (m_timeline.cache->length() == m_timeline.cache->capacity())
            return FinishReason::ContextFull;
        run.sampler.observe({&id, 1});
        forward(run, {&id, 1}, true);
    }
    return FinishReason::Cancelled;
}

} // namespace bathyscope
