// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/decision_chart.h"

#include "ui/inspector/decision_model.h"
#include "ui/inspector/number_format.h"
#include "ui/theme/theme.h"

#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int groupGap = 6;
constexpr int labelHeight = 16;

} // namespace

DecisionChart::DecisionChart(QWidget *parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Scores of all experts"));
    setAccessibleDescription(tr("The same numbers are in the table below"));
}

void DecisionChart::setDecision(const RouterDecision &decision)
{
    m_decision = decision;
    update();
}

void DecisionChart::setSelectedExpert(int expert)
{
    m_selected = expert;
    update();
}

QRectF DecisionChart::columnOf(int expert) const
{
    const double gaps = groupGap * (m_decision.groups - 1.0);
    const double step = (width() - gaps) / std::max(1, experts());
    return {expert * step + groupOf(m_decision, expert) * groupGap, 0.0, step,
            static_cast<double>(height() - labelHeight)};
}

int DecisionChart::expertAt(const QPoint &point) const
{
    for (int expert = 0; expert < experts(); ++expert)
        if (columnOf(expert).contains(point))
            return expert;
    return -1;
}

double DecisionChart::sumOf(int expert) const
{
    const auto at = static_cast<std::size_t>(expert);
    const float bias = at < m_decision.bias.size() ? m_decision.bias[at] : 0;
    return static_cast<double>(m_decision.scores[at] + bias);
}

bool DecisionChart::isChosen(int expert) const
{
    return std::any_of(m_decision.chosen.begin(), m_decision.chosen.end(),
                       [expert](const ExpertChoice &choice) { return choice.expert == expert; });
}

void DecisionChart::drawGroups(QPainter &painter)
{
    const Colors &colors = theme::colors();
    const int size = experts() / m_decision.groups;
    QFont font = theme::numberFont();
    font.setPixelSize(11);
    painter.setFont(font);
    for (int group = 0; group < m_decision.groups; ++group) {
        const QRectF area = columnOf(group * size).united(columnOf((group + 1) * size - 1));
        painter.fillRect(area, colors.ground);
        if (!isKept(m_decision, group))
            painter.fillRect(area, QBrush(colors.line, Qt::BDiagPattern));
        const QString name =
            isKept(m_decision, group) ? tr("group %1").arg(group) : tr("group %1, left out").arg(group);
        const QRectF label(area.left(), area.bottom(), area.width(), labelHeight);
        painter.setPen(colors.secondary);
        if (m_decision.groups > 1)
            painter.drawText(label, Qt::AlignCenter,
                             painter.fontMetrics().horizontalAdvance(name) > label.width()
                                 ? QString::number(group)
                                 : name);
    }
}

void DecisionChart::drawExpert(QPainter &painter, int expert, double unit, double base)
{
    const Colors &colors = theme::colors();
    const QRectF column = columnOf(expert);
    const double inset = column.width() > 4 ? 1 : 0;
    const auto score = static_cast<double>(m_decision.scores[static_cast<std::size_t>(expert)]);
    const QRectF bar(column.left() + inset, base - score * unit, column.width() - 2 * inset, score * unit);
    const bool kept = isKept(m_decision, groupOf(m_decision, expert));
    painter.fillRect(bar, isChosen(expert) ? colors.accent : kept ? theme::heat(0.25) : colors.line);
    if (!m_decision.bias.empty()) {
        const double y = base - sumOf(expert) * unit;
        painter.fillRect(QRectF(bar.left(), y - 1, bar.width(), 2), colors.text);
    }
    if (expert == m_selected) {
        painter.setPen(QPen(colors.selectionOutline, 2));
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(column.adjusted(0, 1, 0, -1));
    }
}

void DecisionChart::paintEvent(QPaintEvent *)
{
    if (m_decision.scores.empty())
        return;
    QPainter painter(this);
    drawGroups(painter);
    double lowest = 0;
    double highest = 1e-9;
    for (int expert = 0; expert < experts(); ++expert) {
        const auto score = static_cast<double>(m_decision.scores[static_cast<std::size_t>(expert)]);
        highest = std::max({highest, sumOf(expert), score});
        lowest = std::min(lowest, sumOf(expert));
    }
    constexpr double above = 6; // px, so that the highest mark stands clear of the edge
    const double space = height() - labelHeight - above - 2;
    const double unit = space / (highest - lowest);
    for (int expert = 0; expert < experts(); ++expert)
        drawExpert(painter, expert, unit, above + highest * unit);
}

void DecisionChart::mousePressEvent(QMouseEvent *event)
{
    if (const int expert = expertAt(event->position().toPoint()); expert >= 0)
        emit expertPicked(expert);
}

QString DecisionChart::toolTipOf(int expert) const
{
    const auto at = static_cast<std::size_t>(expert);
    const auto text = [](float value) { return fixedText(static_cast<double>(value), 4); };
    QString result = tr("Expert %1 · score %2").arg(expert).arg(text(m_decision.scores[at]));
    if (at < m_decision.bias.size())
        result += tr(" · bias %1").arg(text(m_decision.bias[at]));
    return result;
}

bool DecisionChart::event(QEvent *event)
{
    if (event->type() == QEvent::ToolTip) {
        const auto *help = static_cast<QHelpEvent *>(event);
        if (const int expert = expertAt(help->pos()); expert >= 0)
            QToolTip::showText(help->globalPos(), toolTipOf(expert), this);
        else
            QToolTip::hideText();
        return true;
    }
    return QWidget::event(event);
}

} // namespace bathyscope::ui
