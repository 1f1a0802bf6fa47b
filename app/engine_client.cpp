// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/engine_client.h"

namespace bathyscope::app {

namespace {

constexpr int frame = 16; // ms

} // namespace

EngineClient::EngineClient(QObject *parent)
    : QObject(parent)
{
    m_timer.setInterval(frame);
    m_timer.setTimerType(Qt::PreciseTimer);
    connect(&m_timer, &QTimer::timeout, this, &EngineClient::takeEvents);
}

void EngineClient::load(OpenBackend open)
{
    ++m_loads;
    m_engine.load(std::move(open));
    m_timer.start();
}

void EngineClient::generate(ReplyId reply, Request request)
{
    ++m_replies;
    m_engine.generate(reply, std::move(request));
    m_timer.start();
}

void EngineClient::analyse(AnalysisId id, AnalysisRequest request)
{
    ++m_analyses;
    m_engine.analyse(id, std::move(request));
    m_timer.start();
}

void EngineClient::takeEvents()
{
    for (const EngineEvent &event : m_engine.takeEvents())
        std::visit([this](const auto &value) { handle(value); }, event);
    if (m_loads == 0 && m_replies == 0 && m_analyses == 0)
        m_timer.stop();
}

void EngineClient::handle(const ModelLoaded &event)
{
    --m_loads;
    emit modelLoaded(event);
}

void EngineClient::handle(const LoadFailed &event)
{
    --m_loads;
    emit loadFailed(event);
}

void EngineClient::handle(const AnalysisEnded &event)
{
    --m_analyses;
    emit analysisEnded(event);
}

void EngineClient::handle(const ReplyEnded &event)
{
    --m_replies;
    emit replyEnded(event);
}

} // namespace bathyscope::app
