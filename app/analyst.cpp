// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/analyst.h"

#include <QTimer>

#include <utility>

namespace bathyscope::app {

Analyst::Analyst(EngineClient &engine, ChatController &controller, QObject *parent)
    : ui::AnalysisSource(parent)
    , m_engine(engine)
    , m_controller(controller)
{
    connect(&engine, &EngineClient::analysisEnded, this, &Analyst::onAnalysisEnded);
}

QString Analyst::objection(ui::MessageId reply) const
{
    if (!m_capabilities.analysis)
        return tr("This backend cannot measure what is written already.");
    return m_controller.objectionToReuse(reply);
}

std::int64_t Analyst::ask(ui::MessageId reply, const AnalysisOptions &options)
{
    const std::int64_t question = ++m_last;
    if (const QString why = objection(reply); !why.isEmpty()) {
        refuse(question, why);
        return question;
    }
    AnalysisRequest request;
    request.prompt = m_controller.promptOf(reply);
    request.text = m_controller.idsOf(reply);
    request.options = options;
    request.options.sampling = m_controller.samplingOf(reply);
    m_engine.analyse(question, std::move(request));
    return question;
}

std::int64_t Analyst::score(const QString &text, const AnalysisOptions &options)
{
    const std::int64_t question = ++m_last;
    if (!m_capabilities.analysis) {
        refuse(question, tr("This backend cannot measure what is written already."));
        return question;
    }
    m_scores[question] = options;
    AnalysisRequest request;
    request.text = text.toStdString();
    request.options.count = 0;
    m_engine.analyse(question, std::move(request));
    return question;
}

void Analyst::refuse(std::int64_t question, const QString &why)
{
    auto analysis = std::make_shared<Analysis>();
    analysis->error = why.toStdString();
    QTimer::singleShot(0, this, [this, question, analysis] { emit answered(question, analysis); });
}

void Analyst::onAnalysisEnded(const AnalysisEnded &event)
{
    const auto score = m_scores.find(event.id);
    if (score != m_scores.end()) {
        const AnalysisOptions options = std::exchange(score->second, {});
        m_scores.erase(score);
        if (event.analysis.error.empty() && !event.analysis.ids.empty()) {
            AnalysisRequest request;
            request.text = event.analysis.ids;
            request.options = options;
            request.options.first = 0;
            request.options.count = static_cast<std::int32_t>(event.analysis.ids.size());
            m_engine.analyse(event.id, std::move(request));
            return;
        }
    }
    emit answered(event.id, std::make_shared<const Analysis>(event.analysis));
}

} // namespace bathyscope::app
