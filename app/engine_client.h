// SPDX-License-Identifier: GPL-3.0-or-later
//
// The engine as the interface thread sees it.
#pragma once

#include "app/engine_thread.h"

#include <QObject>
#include <QTimer>

namespace bathyscope::app {

/// Takes what the engine has produced every 16 ms while there is work, and hands it on as signals.
class EngineClient : public QObject {
    Q_OBJECT

public:
    explicit EngineClient(QObject *parent = nullptr);

    void load(OpenBackend open);
    void generate(ReplyId reply, Request request);
    void analyse(AnalysisId id, AnalysisRequest request);
    void cancelLoads() { m_engine.cancelLoads(); }
    void cancelAnalyses() { m_engine.cancelAnalyses(); }
    void cancel() { m_engine.cancel(); }

    [[nodiscard]] bool isLoading() const { return m_loads > 0; }

signals:
    void loadProgress(const bathyscope::LoadProgress &progress);
    void modelLoaded(const bathyscope::app::ModelLoaded &event);
    void loadFailed(const bathyscope::app::LoadFailed &event);
    void promptProgress(const bathyscope::app::PromptProgress &event);
    void tokens(const bathyscope::app::TokenBatch &event);
    void replyEnded(const bathyscope::app::ReplyEnded &event);
    void analysisEnded(const bathyscope::app::AnalysisEnded &event);

private:
    void takeEvents();
    void handle(const LoadProgress &progress) { emit loadProgress(progress); }
    void handle(const ModelLoaded &event);
    void handle(const LoadFailed &event);
    void handle(const PromptProgress &event) { emit promptProgress(event); }
    void handle(const TokenBatch &event) { emit tokens(event); }
    void handle(const ReplyEnded &event);
    void handle(const AnalysisEnded &event);

    EngineThread m_engine;
    QTimer m_timer;
    int m_loads = 0; ///< asked for and not ended
    int m_replies = 0; ///< asked for and not ended
    int m_analyses = 0; ///< asked for and not ended
};

} // namespace bathyscope::app
