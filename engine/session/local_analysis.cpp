// SPDX-License-Identifier: GPL-3.0-or-later
//
// LocalSession: questions about a text that is there already.
#include "engine/session/local_session.h"

#include "engine/error.h"
#include "engine/executor/router.h"
#include "engine/session/position_analyser.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

/// Positions in one forward pass: their logits [positions, vocab_size] lie in memory together.
constexpr std::size_t chunkOfLogits = 64;

std::size_t sharedLength(std::span<const TokenId> a, std::span<const TokenId> b)
{
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

/// Places a cache back at the end that it had. What lies beyond a place is kept by truncate(), and what was
/// computed again in between is the same.
class CacheRewind {
public:
    CacheRewind(KvCache &cache, std::size_t length)
        : m_cache(cache)
        , m_end(cache.length())
    {
        m_cache.truncate(static_cast<std::int32_t>(length));
    }
    ~CacheRewind()
    {
        if (m_cache.length() < m_end)
            m_cache.advance(m_end - m_cache.length());
    }
    CacheRewind(const CacheRewind &) = delete;
    CacheRewind &operator=(const CacheRewind &) = delete;

private:
    KvCache &m_cache;
    std::int32_t m_end;
};

void expectPlaces(const AnalysisOptions &options, std::size_t textLength)
{
    const std::int64_t end = std::int64_t{options.first} + options.count;
    if (options.first < 0 || options.count < 0 || end > static_cast<std::int64_t>(textLength) + 1)
        throw Error(fmt::format("analysis: expected places from 0 to {}, found {} to {}", textLength,
                                options.first, end - 1));
}

/// Decisions of all MoE layers from their `logits` [MoE layers, n_routed_experts]; none from none.
std::vector<RouterDecision> explain(const Executor &executor, std::span<const float> logits)
{
    std::vector<RouterDecision> decisions;
    if (logits.empty())
        return decisions;
    const MoeConfig &moe = *executor.config().moe;
    const auto experts = static_cast<std::size_t>(moe.nRoutedExperts);
    Router router(moe);
    for (const std::int32_t layer : executor.config().moeLayers())
        decisions.push_back(router.explain(layer, logits.subspan(decisions.size() * experts, experts),
                                           executor.correctionBias(layer)));
    return decisions;
}

} // namespace

Analysis LocalSession::analyse(const AnalysisRequest &request, std::stop_token stop)
{
    std::vector<TokenId> ids = m_backend.preparePrompt(request.prompt).ids;
    if (ids.empty())
        ids = m_backend.textStart();
    const std::size_t offset = ids.size();
    Analysis analysis;
    analysis.ids = m_backend.prepareContinuation(request.text);
    expectPlaces(request.options, analysis.ids.size());
    if (request.options.count == 0)
        return analysis;
    ids.insert(ids.end(), analysis.ids.begin(), analysis.ids.end());
    const std::size_t first = offset + static_cast<std::size_t>(request.options.first);
    // The distribution of a place comes from the step of the token before it.
    const std::size_t end = first + static_cast<std::size_t>(request.options.count) - 1;
    if (first == 0)
        throw Error("analysis: nothing comes before the first token, so it has no distribution");
    const auto capacity = static_cast<std::size_t>(m_timeline.cache->capacity());
    if (end > capacity)
        throw Error(fmt::format("the text has {} tokens, more than the context of {}", ids.size(), capacity));
    for (const TokenId id : request.options.tokens)
        if (id < 0 || id >= m_backend.executor().config().vocabSize)
            throw Error(fmt::format("analysis: expected token ids from 0 to {}, found {}",
                                    m_backend.executor().config().vocabSize - 1, id));

    const std::span<const TokenId> needed(ids.data(), end);
    Timeline &timeline = timelineFor(needed);
    PositionAnalyser analyser(request.options, ids, offset, *m_backend.model().vocabulary);
    if (fill(timeline, needed.first(first - 1), stop)) {
        const CacheRewind rewind(*timeline.cache, first - 1);
        measure(timeline, analyser, needed, request.options, stop);
    }
    analysis.positions = analyser.take();
    return analysis;
}

/// The conversation's own where it holds the needed tokens or ends among them: then nothing in it is lost.
LocalSession::Timeline &LocalSession::timelineFor(std::span<const TokenId> needed)
{
    const std::size_t shared = sharedLength(needed, m_timeline.tokens);
    if (shared == needed.size() || shared == m_timeline.tokens.size())
        return m_timeline;
    const auto length = static_cast<std::int32_t>(needed.size());
    if (!m_scratch.cache || m_scratch.cache->capacity() < length) {
        constexpr std::int32_t step = 1024; // tokens; a text that is typed at grows
        const std::int32_t capacity =
            std::min((length + step - 1) / step * step, m_timeline.cache->capacity());
        m_scratch = {m_backend.executor().createCache(capacity), {}};
    }
    const std::size_t kept = sharedLength(needed, m_scratch.tokens);
    m_scratch.tokens.resize(kept);
    m_scratch.cache->truncate(static_cast<std::int32_t>(kept));
    return m_scratch;
}

/// Computes what the timeline lacks of `tokens`, which it begins with or is the beginning of; false when
/// stopped.
bool LocalSession::fill(Timeline &timeline, std::span<const TokenId> tokens, std::stop_token stop)
{
    const auto chunk = static_cast<std::size_t>(m_backend.executor().maxChunk());
    ForwardResult result;
    while (timeline.tokens.size() < tokens.size()) {
        if (stop.stop_requested())
            return false;
        const std::size_t begin = timeline.tokens.size();
        const auto part = tokens.subspan(begin, std::min(chunk, tokens.size() - begin));
        m_backend.executor().forward({.tokens = part, .logits = LogitsOf::None}, *timeline.cache, result);
        m_backend.expectWholeModel();
        timeline.tokens.insert(timeline.tokens.end(), part.begin(), part.end());
    }
    return true;
}

/// Runs the tokens from the cache's end to the end of `needed` and gives their logits to the analyser.
void LocalSession::measure(Timeline &timeline, PositionAnalyser &analyser, std::span<const TokenId> needed,
                           const AnalysisOptions &options, std::stop_token stop)
{
    Executor &executor = m_backend.executor();
    const bool decisions = options.decisions && executor.hasRouterLogits() && executor.config().moe;
    const auto vocabulary = static_cast<std::size_t>(executor.config().vocabSize);
    const std::size_t chunk = std::min(chunkOfLogits, static_cast<std::size_t>(executor.maxChunk()));
    ForwardResult result;
    while (static_cast<std::size_t>(timeline.cache->length()) < needed.size() && !stop.stop_requested()) {
        const auto begin = static_cast<std::size_t>(timeline.cache->length());
        const auto part = needed.subspan(begin, std::min(chunk, needed.size() - begin));
        executor.forward({.tokens = part,
                          .logits = LogitsOf::AllTokens,
                          .routing = options.routing,
                          .routerLogits = decisions},
                         *timeline.cache, result);
        m_backend.expectWholeModel();
        if (begin + part.size() > timeline.tokens.size())
            timeline.tokens.assign(needed.begin(),
                                   needed.begin() + static_cast<std::ptrdiff_t>(begin + part.size()));
        const std::size_t choices = result.routing.size() / part.size();
        const std::size_t scores = result.routerLogits.size() / part.size();
        for (std::size_t i = 0; i < part.size(); ++i)
            analyser.add({result.logits.data() + i * vocabulary, vocabulary},
                         std::span(result.routing).subspan(i * choices, choices),
                         explain(executor, std::span(result.routerLogits).subspan(i * scores, scores)));
    }
}

} // namespace bathyscope
