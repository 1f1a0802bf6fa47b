// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine on a thread of its own: it owns the backend and its session, and leaves what they produce in a
// queue. Knows nothing of the interface.
#pragma once

#include "engine/session/backend.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <variant>
#include <vector>

namespace bathyscope::app {

/// Names a reply; chosen by whoever asks for it.
using ReplyId = std::int64_t;

/// Names an analysis; chosen by whoever asks for it.
using AnalysisId = std::int64_t;

struct ModelLoaded {
    ModelInfo model;
    Capabilities capabilities;
};

/// The backend that was there before is still in use, unless it had already made way.
struct LoadFailed {
    std::string error; ///< for people
    bool modelGone = false; ///< the backend that was there before made way
    std::shared_ptr<const ModelMemory> needs =
        {}; ///< of a model that does not fit: to plan with other options
    bool cancelled = false; ///< by the user
};

struct PromptProgress {
    ReplyId reply = 0;
    PrefillProgress progress;
};

struct TokenBatch {
    ReplyId reply = 0;
    std::vector<TokenRecord> tokens;
};

/// The last event of a reply; also of one that was cancelled before it began.
struct ReplyEnded {
    ReplyId reply = 0;
    GenerationSummary summary;
};

struct AnalysisEnded {
    AnalysisId id = 0;
    Analysis analysis;
};

using EngineEvent = std::variant<LoadProgress, ModelLoaded, LoadFailed, PromptProgress, TokenBatch,
                                 ReplyEnded, AnalysisEnded>;

/// Opens a backend on the engine thread, in the place of another; throws Error.
using OpenBackend =
    std::function<std::unique_ptr<Backend>(const Predecessor &predecessor, const LoadObserver &observer)>;

class EngineThread {
public:
    EngineThread();
    ~EngineThread(); ///< cancels what runs and waits for it
    EngineThread(const EngineThread &) = delete;
    EngineThread &operator=(const EngineThread &) = delete;

    /// Exactly one ModelLoaded or LoadFailed follows, after any number of LoadProgress.
    void load(OpenBackend open);
    /// Ends the running load and those that wait; what was open stays open.
    void cancelLoads();
    /// Events of this reply follow, the last one ReplyEnded. Analyses make way: they end early.
    void generate(ReplyId reply, Request request);
    /// Exactly one AnalysisEnded follows, after the replies that were asked for before.
    void analyse(AnalysisId id, AnalysisRequest request);
    /// Ends the running analysis and those that wait; they have fewer positions then.
    void cancelAnalyses();
    /// Ends the running reply and those that wait, within one token or one prefill chunk.
    void cancel();

    /// All that has happened since the last call, in order; neighbouring tokens of a reply are one batch.
    std::vector<EngineEvent> takeEvents();

private:
    struct Generate {
        ReplyId reply = 0;
        Request request;
        std::stop_token stop;
    };
    struct Analyse {
        AnalysisId id = 0;
        AnalysisRequest request;
        std::stop_token stop;
    };
    struct Load {
        OpenBackend open;
        std::stop_token stop;
    };
    using Task = std::variant<Load, Generate, Analyse>;
    class Sink;

    void run(const std::stop_token &stop);
    void perform(const Load &task);
    void perform(const Generate &task);
    void perform(const Analyse &task);
    void stopAnalyses();
    void push(EngineEvent event);

    // Used on the engine thread only. The session ends before its backend.
    std::unique_ptr<Backend> m_backend;
    std::unique_ptr<Session> m_session;

    std::mutex m_mutex; ///< guards all below but m_thread
    std::condition_variable_any m_wake;
    std::deque<Task> m_tasks;
    std::vector<EngineEvent> m_events;
    std::stop_source m_cancel; ///< of all replies that were asked for since the last cancel()
    std::stop_source m_cancelLoads; ///< of all loads asked for since the last cancelLoads()
    std::stop_source m_cancelAnalyses; ///< of all analyses asked for since they were last stopped
    std::jthread m_thread;
};

} // namespace bathyscope::app
