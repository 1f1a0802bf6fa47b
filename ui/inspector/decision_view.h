// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why these experts: the scores of all experts for one token in one layer, the bias, the groups and the
// weights. They are not kept while a reply is written, so the view asks for them.
#pragma once

#include "ui/inspector/decision_model.h"
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

    /// Shows a layer's decision at a token; asks with decisionsWanted() for those that are not known yet.
    void show(const TokenPosition &at, int layer);
    /// Says why nothing can be shown.
    void showReason(const QString &reason);
    void clear();

    /// The answer to decisionsWanted(): the decisions of all MoE layers, or why there are none. One that
    /// comes late, for another token, is left alone.
    void setDecisions(const TokenPosition &at, std::vector<RouterDecision> decisions, const QString &error);

    [[nodiscard]] DecisionModel *model() const { return m_model; }
    [[nodiscard]] DecisionChart *chart() const { return m_chart; }
    [[nodiscard]] QString sentence() const;

signals:
    void decisionsWanted(const bathyscope::ui::TokenPosition &at);

private:
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
    QString m_error;
};

} // namespace bathyscope::ui
