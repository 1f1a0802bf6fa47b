// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine_thread.h"

#include "engine/executor/memory_plan.h"

#include <exception>
#include <iterator>
#include <utility>

namespace bathyscope::app {

/// Puts what a session produces into the queue.
class EngineThread::Sink : public TokenSink {
public:
    Sink(EngineThread &engine, ReplyId reply)
        : m_engine(engine)
        , m_reply(reply)
    {
    }

    void onPrefill(const PrefillProgress &progress) override
    {
        m_engine.push(PromptProgress{m_reply, progress});
    }

    void onToken(TokenRecord &&record) override
    {
        const std::lock_guard lock(m_engine.m_mutex);
        std::vector<EngineEvent> &events = m_engine.m_events;
        auto *batch = events.empty() ? nullptr : std::get_if<TokenBatch>(&events.back());
        if (batch == nullptr || batch->reply != m_reply)
            batch = &std::get<TokenBatch>(events.emplace_back(TokenBatch{m_reply, {}}));
        batch->tokens.push_back(std::move(record));
    }

private:
    EngineThread &m_engine;
    ReplyId m_reply;
};

EngineThread::EngineThread()
    : m_thread([this](const std::stop_token &stop) { run(stop); })
{
}

EngineThread::~EngineThread()
{
    cancelLoads();
    cancel();
    cancelAnalyses();
    m_thread.request_stop();
}

void EngineThread::load(OpenBackend open)
{
    const std::lock_guard lock(m_mutex);
    m_tasks.emplace_back(Load{std::move(open), m_cancelLoads.get_token()});
    m_wake.notify_one();
}

void EngineThread::cancelLoads()
{
    const std::lock_guard lock(m_mutex);
    m_cancelLoads.request_stop();
    m_cancelLoads = std::stop_source();
}

void EngineThread::generate(ReplyId reply, Request request)
{
    const std::lock_guard lock(m_mutex);
    stopAnalyses();
    m_tasks.emplace_back(Generate{reply, std::move(request), m_cancel.get_token()});
    m_wake.notify_one();
}

void EngineThread::cancel()
{
    const std::lock_guard lock(m_mutex);
    m_cancel.request_stop();
    m_cancel = std::stop_source();
}

void EngineThread::analyse(AnalysisId id, AnalysisRequest request)
{
    const std::lock_guard lock(m_mutex);
    m_tasks.emplace_back(Analyse{id, std::move(request), m_cancelAnalyses.get_token()});
    m_wake.notify_one();
}

void EngineThread::cancelAnalyses()
{
    const std::lock_guard lock(m_mutex);
    stopAnalyses();
}

/// m_mutex is held.
void EngineThread::stopAnalyses()
{
    m_cancelAnalyses.request_stop();
    m_cancelAnalyses = std::stop_source();
}

std::vector<EngineEvent> EngineThread::takeEvents()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_events, {});
}

void EngineThread::run(const std::stop_token &stop)
{
    while (true) {
        std::unique_lock lock(m_mutex);
        if (!m_wake.wait(lock, stop, [this] { return !m_tasks.empty(); }) || stop.stop_requested())
            return;
        const Task task = std::move(m_tasks.front());
        m_tasks.pop_front();
        lock.unlock();
        std::visit([this](const auto &work) { perform(work); }, task);
    }
}

void EngineThread::perform(const Load &task)
{
    const bool hadModel = m_backend != nullptr;
    Predecessor predecessor;
    if (hadModel)
        predecessor.plan = m_backend->model().plan;
    predecessor.release = [this] {
        m_session.reset();
        m_backend.reset();
    };
    LoadFailed failed;
    try {
        if (task.stop.stop_requested())
            throw LoadCancelled();
        const LoadObserver observer{.progress = [this](const LoadProgress &progress) { push(progress); },
                                    .stop = task.stop};
        std::unique_ptr<Backend> backend = task.open(predecessor, observer);
        std::unique_ptr<Session> session = backend->createSession();
        ModelLoaded loaded{backend->model(), backend->capabilities()};
        m_session = std::move(session);
        m_backend = std::move(backend);
        push(std::move(loaded));
        return;
    } catch (const LoadCancelled &error) {
        failed = {.error = error.what(), .cancelled = true};
    } catch (const DoesNotFit &error) {
        failed = {.error = error.what(), .needs = error.needs()};
    } catch (const std::exception &error) {
        failed = {.error = error.what()};
    }
    failed.modelGone = hadModel && m_backend == nullptr;
    push(std::move(failed));
}

void EngineThread::perform(const Generate &task)
{
    GenerationSummary summary;
    try {
        if (task.stop.stop_requested()) {
            summary.finish = FinishReason::Cancelled;
        } else if (m_session == nullptr) {
            summary.finish = FinishReason::Error;
            summary.error = "No model is loaded. Open a model directory and ask again.";
        } else {
            Sink sink(*this, task.reply);
            summary = m_session->generate(task.request, sink, task.stop);
        }
    } catch (const std::exception &error) {
        summary.finish = FinishReason::Error;
        summary.error = error.what();
    }
    push(ReplyEnded{task.reply, std::move(summary)});
}

void EngineThread::perform(const Analyse &task)
{
    Analysis analysis;
    try {
        if (m_session == nullptr)
            analysis.error = "No model is loaded. Open a model directory and ask again.";
        else if (!task.stop.stop_requested())
            analysis = m_session->analyse(task.request, task.stop);
    } catch (const std::exception &error) {
        analysis.error = error.what();
    }
    push(AnalysisEnded{task.id, std::move(analysis)});
}

void EngineThread::push(EngineEvent event)
{
    const std::lock_guard lock(m_mutex);
    // Of progress only the newest counts.
    if (const auto *progress = std::get_if<LoadProgress>(&event); progress != nullptr && !m_events.empty()) {
        if (auto *last = std::get_if<LoadProgress>(&m_events.back())) {
            *last = *progress;
            return;
        }
    }
    if (const auto *progress = std::get_if<PromptProgress>(&event);
        progress != nullptr && !m_events.empty()) {
        auto *last = std::get_if<PromptProgress>(&m_events.back());
        if (last != nullptr && last->reply == progress->reply) {
            *last = *progress;
            return;
        }
    }
    m_events.push_back(std::move(event));
}

} // namespace bathyscope::app
