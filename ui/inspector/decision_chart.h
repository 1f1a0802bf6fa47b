// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

#include <QWidget>

namespace bathyscope::ui {

/// A router's decision as bars: for each expert its score, and a mark where the bias took it. Groups stand
/// apart; what was left out is hatched.
class DecisionChart : public QWidget {
    Q_OBJECT

public:
    explicit DecisionChart(QWidget *parent);

    void setDecision(const RouterDecision &decision);
    void setSelectedExpert(int expert); ///< -1: none
    [[nodiscard]] int expertAt(const QPoint &point) const; ///< -1: none
    [[nodiscard]] QRectF columnOf(int expert) const;

    [[nodiscard]] QSize sizeHint() const override { return {436, 84}; }

signals:
    void expertPicked(int expert);

protected:
    void paintEvent(QPaintEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    bool event(QEvent *event) override;

private:
    void drawGroups(QPainter &painter);
    void drawExpert(QPainter &painter, int expert, double unit, double base);
    [[nodiscard]] int experts() const { return static_cast<int>(m_decision.scores.size()); }
    [[nodiscard]] double sumOf(int expert) const;
    [[nodiscard]] bool isChosen(int expert) const;
    [[nodiscard]] QString toolTipOf(int expert) const;

    RouterDecision m_decision;
    int m_selected = -1;
};

} // namespace bathyscope::ui
