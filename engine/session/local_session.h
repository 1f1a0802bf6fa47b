// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/session/local_backend.h"
#include "engine/session/sampler.h"
#include "engine/text/reasoning_parser.h"

#include <chrono>

namespace bathyscope {

class PositionAnalyser;

/// A timeline on the local executor. The cache is kept between requests; what it shares with the next
/// prompt is not computed again.
class LocalSession final : public Session {
public:
    explicit LocalSession(LocalBackend &backend);

    GenerationSummary generate(const Request &request, TokenSink &sink, std::stop_token stop) override;
    Analysis analyse(const AnalysisRequest &request, std::stop_token stop) override;

private:
    using Clock = std::chrono::steady_clock;

    /// State of one call of generate().
    struct Run {
        const Request &request;
        TokenSink &sink;
        Sampler sampler;
        ReasoningParser parser;
        Clock::time_point start;
        std::vector<TokenId> forced; ///< in place of the first choices
        std::size_t known = 0; ///< tokens that the parser has yet to give back and the sink knows
        GenerationSummary summary;
        ForwardResult result;
    };

    /// A cache and what lies in it.
    struct Timeline {
        std::unique_ptr<KvCache> cache;
        std::vector<TokenId> tokens;
    };

    /// Computes what the cache lacks of the prompt; false when stopped.
    bool prefill(Run &run, const std::vector<TokenId> &prompt, std::stop_token stop);
    void beginReply(Run &run, const std::vector<TokenId> &start) const;
    static void deliver(Run &run, std::vector<TokenRecord> &&records);
    FinishReason decode(Run &run, std::stop_token stop);
    /// The next token of the reply is given.
    static bool isForced(const Run &run);
    static TokenChoice nextToken(Run &run);
    TokenRecord nextRecord(Run &run) const;
    void forward(Run &run, std::span<const TokenId> tokens, bool last);

    // local_analysis.cpp
    Timeline &timelineFor(std::span<const TokenId> needed);
    bool fill(Timeline &timeline, std::span<const TokenId> tokens, std::stop_token stop);
    void measure(Timeline &timeline, PositionAnalyser &analyser, std::span<const TokenId> needed,
                 const AnalysisOptions &options, std::stop_token stop);

    LocalBackend &m_backend;
    Timeline m_timeline; ///< of the conversation
    Timeline m_scratch; ///< of texts that are analysed and have parted from it
};

} // namespace bathyscope
