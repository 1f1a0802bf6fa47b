// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole contract between a program and the engine: a Backend makes Sessions, a Session turns a
// Request into a stream of TokenRecords.
#pragma once

#include "engine/records.h"

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

namespace bathyscope {

/// One reply to make. Messages are rendered by the model's chat template; ids are taken as they are.
struct Request {
    std::variant<std::vector<Message>, std::vector<TokenId>> prompt;
    SamplingParameters sampling;
    TraceOptions trace;
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
};

/// What a backend can feed; a view that needs more is disabled and says why.
struct Capabilities {
    bool logProbs = false; ///< of the chosen token
    std::int32_t maxCandidates = 0; ///< entries of TokenRecord::top
    bool routing = false;
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

/// Loads a model directory. Throws Error naming file, key, what was expected and what was found.
/// A model that does not fit is a DoesNotFit (engine/executor/memory_plan.h).
std::unique_ptr<Backend> openLocalBackend(const std::string &modelDirectory,
                                          const LocalBackendOptions &options,
                                          const Predecessor &predecessor = {});

} // namespace bathyscope
