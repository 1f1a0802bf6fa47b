// SPDX-License-Identifier: GPL-3.0-or-later
//
// Questions of the window about replies and texts, put to the engine.
#pragma once

#include "app/chat_controller.h"
#include "app/engine_client.h"
#include "ui/model/analysis_source.h"

#include <map>
#include <string>

namespace bathyscope::app {

class Analyst : public ui::AnalysisSource {
    Q_OBJECT

public:
    /// Both must outlive this.
    Analyst(EngineClient &engine, ChatController &controller, QObject *parent = nullptr);

    void setCapabilities(const Capabilities &capabilities) { m_capabilities = capabilities; }

    [[nodiscard]] QString objection(ui::MessageId reply) const override;
    std::int64_t ask(ui::MessageId reply, const AnalysisOptions &options) override;
    std::int64_t score(const QString &text, const AnalysisOptions &options) override;

private:
    void onAnalysisEnded(const AnalysisEnded &event);
    void refuse(std::int64_t question, const QString &why);

    EngineClient &m_engine;
    ChatController &m_controller;
    Capabilities m_capabilities;
    std::int64_t m_last = 0;
    std::map<std::int64_t, AnalysisOptions> m_scores; ///< whose text is being cut into tokens
};

} // namespace bathyscope::app
