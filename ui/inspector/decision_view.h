// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why these experts: the scores of all experts for one token in one layer, the bias, the groups and the
// weights. They are not kept while a reply is written, so the view asks for them.
#pragma once

#include "ui/inspector/decision_model.h"
#include "ui/model/analysis_source.h"
#include "ui/model/selection.h"

#include <QWidget>

#include <optional>

class QLabel;

namespace bathyscope::ui {

class DecisionChart;
class PlainTable;

class DecisionView : public QWidget {
    Q_OBJECT

public:
    DecisionView(Selection *selection, QWidget *parent);

    /// Where decisions are asked for; may be null; must outlive the view.
    void setSource(AnalysisSource *source);
    /// Shows a layer's decision at a token; asks for those that are not known yet.
    void show(const TokenPosition &at, int layer);
    /// Says why nothing can be shown.
    void showReason(const QString &reason);
    void clear();

    [[nodiscard]] DecisionModel *model() const { return m_model; }
    [[nodiscard]] DecisionChart *chart() const { return m_chart; }
    [[nodiscard]] QString sentence() const;

private:
    void ask();
    void onAnswered(std::int64_t question, const Analysis &analysis);
    void update();
    void showLine(const QString &text);
    [[nodiscard]] QString lineOf(const RouterDecision &decision) const;

    Selection *m_selection;
    DecisionModel *m_model;
    DecisionChart *m_chart;
    PlainTable *m_table;
    QLabel *m_line;
    std::optional<TokenPosition> m_at;
    int m_layer = 0;
    std::optional<TokenPosition> m_known; ///< of which m_decisions are
    std::vector<RouterDecision> m_decisions;
    QString m_error; ///< why there are none
    AnalysisSource *m_source = nullptr;
    std::int64_t m_question = 0; ///< the last one that was asked
};

} // namespace bathyscope::ui
