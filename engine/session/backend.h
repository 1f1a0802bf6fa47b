// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole contract between a program and the engine: a Backend makes Sessions, a Session turns a
// Request into a stream of TokenRecords.
#pragma once

#include "engine/error.h"
#include "engine/records.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace bathyscope {

/// Messages are rendered by the model's chat template; ids are taken as they are.
using Prompt = std::variant<std::vector<Message>, std::vector<TokenId>>;

/// Ids, or UTF-8 text in which special tokens are plain text.
using Continuation = std::variant<std::vector<TokenId>, std::string>;

/// One reply to make.
struct Request {
    Prompt prompt;
    /// How the reply begins, for a fork: tokens that are known already, which the sink is not given again.
    std::vector<TokenId> replyStart;
    /// Stands in for the first choices after that. These tokens are recorded as chosen ones are.
    Continuation forced;
    SamplingParameters sampling;
    TraceOptions trace;
};

/// A question about a text that follows a prompt, see AnalysisOptions.
struct AnalysisRequest {
    Prompt prompt = {}; ///< may be empty; then the text follows the model's BOS token, where it has one
    Continuation text;
    AnalysisOptions options;
};

/// Receives what a session produces, on the thread that called generate().
class TokenSink {
public:
    virtual ~TokenSink() = default;
    virtual void onPrefill(const PrefillProgress &progress) = 0;
    virtual void onToken(TokenRecord &&record) = 0;
};

/// One timeline: cache, position and sampler. Not thread-safe; owned by one engine thread.
class Session {
public:
    virtual ~Session() = default;

    /// Produces one reply. Keeps what the cache shares with the new prompt. Cancelling is honoured within
    /// one token or one prefill chunk and yields FinishReason::Cancelled. Throws Error for a request that
    /// cannot be served (a prompt longer than the context, a template that fails).
    virtual GenerationSummary generate(const Request &request, TokenSink &sink, std::stop_token stop) = 0;

    /// Measures a text without writing on. What generate() keeps in the cache serves here too, and stays.
    /// Stopping is honoured within a chunk; then there are fewer positions. Throws Error for a request that
    /// cannot be served; so does a backend without Capabilities::analysis.
    virtual Analysis analyse(const AnalysisRequest &request, std::stop_token stop);
};

/// What a backend can feed; a view that needs more is disabled and says why.
struct Capabilities {
    bool logProbs = false; ///< of the chosen token
    std::int32_t maxCandidates = 0; ///< entries of TokenRecord::top
    bool routing = false;
    bool analysis = false; ///< Session::analyse()
    bool forks = false; ///< Request::replyStart and Request::forced
};

class Backend {
public:
    virtual ~Backend() = default;
    [[nodiscard]] virtual const ModelInfo &model() const = 0;
    [[nodiscard]] virtual Capabilities capabilities() const = 0;
    [[nodiscard]] virtual std::unique_ptr<Session> createSession() = 0;
};

/// The model that makes way for the one being opened.
struct Predecessor {
    MemoryPlan plan; ///< the memory that it holds counts as free
    std::function<void()> release; ///< called when all has been checked, before memory of a GPU is taken
};

/// Bytes of a model's files that were read.
struct LoadProgress {
    std::int64_t done = 0;
    std::int64_t total = 0;

    bool operator==(const LoadProgress &) const = default;
};

/// Hears on the loading thread how far it is, and can end it: then LoadCancelled is thrown, before the
/// predecessor has made way.
struct LoadObserver {
    std::function<void(const LoadProgress &)> progress = {};
    std::stop_token stop = {};
};

class LoadCancelled : public Error {
public:
    LoadCancelled()
        : Error("Loading was stopped.")
    {
    }
};

/// Loads a model: a directory in the hub's layout or a GGUF file. Throws Error naming file, key, what was
/// expected and what was found. A model that does not fit is a DoesNotFit (engine/executor/memory_plan.h).
std::unique_ptr<Backend> openLocalBackend(const std::string &model, const LocalBackendOptions &options,
                                          const Predecessor &predecessor = {},
                                          const LoadObserver &observer = {});

} // namespace bathyscope
