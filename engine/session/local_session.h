// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/session/local_backend.h"
#include "engine/session/sampler.h"
#include "engine/text/reasoning_parser.h"

#include <chrono>

namespace bathyscope {

/// A timeline on the local executor. The cache is kept between requests; what it shares with the next
/// prompt is not computed again.
class LocalSession final : public Session {
public:
    explicit LocalSession(LocalBackend &backend);

    GenerationSummary generate(const Request &request, TokenSink &sink, std::stop_token stop) override;

private:
    using Clock = std::chrono::steady_clock;

    /// State of one call of generate().
    struct Run {
        const Request &request;
        TokenSink &sink;
        Sampler sampler;
        ReasoningParser parser;
        Clock::time_point start;
        GenerationSummary summary;
        ForwardResult result;
    };

    /// Computes what the cache lacks of the prompt; false when stopped.
    bool prefill(Run &run, const std::vector<TokenId> &prompt, std::stop_token stop);
    FinishReason decode(Run &run, std::stop_token stop);
    TokenRecord nextRecord(Run &run) const;
    void forward(Run &run, std::span<const TokenId> tokens, bool last);

    LocalBackend &m_backend;
    std::unique_ptr<KvCache> m_cache;
    std::vector<TokenId> m_cached; ///< the tokens in the cache
};

} // namespace bathyscope
