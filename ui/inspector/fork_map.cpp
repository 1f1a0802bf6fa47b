// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/fork_map.h"

#include "ui/theme/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int laneHeight = 20; // px
constexpr int labelWidth = 20;

} // namespace

ForkMap::ForkMap(QWidget *parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Versions of this answer"));
}

void ForkMap::setTree(std::vector<ForkBranch> branches, int current)
{
    m_branches = std::move(branches);
    m_current = current;
    setAccessibleDescription(tr("Version %1 of %2 is shown").arg(current + 1).arg(m_branches.size()));
    updateGeometry();
    update();
}

QSize ForkMap::sizeHint() const
{
    return {200, static_cast<int>(m_branches.size()) * laneHeight + 4};
}

qreal ForkMap::yOf(int branch) const
{
    return 2 + (branch + 0.5) * laneHeight;
}

qreal ForkMap::xOf(int token) const
{
    int longest = 1;
    for (const ForkBranch &branch : m_branches)
        longest = std::max(longest, branch.tokens);
    const qreal left = labelWidth + 4;
    return left + (width() - left - 8) * token / longest;
}

QRect ForkMap::branchRect(int branch) const
{
    return {0, 2 + branch * laneHeight, width(), laneHeight};
}

std::optional<int> ForkMap::branchAt(int y) const
{
    const int branch = (y - 2) / laneHeight;
    return y >= 2 && branch < static_cast<int>(m_branches.size()) ? std::optional(branch) : std::nullopt;
}

void ForkMap::paintEvent(QPaintEvent *)
{
    const Colors &colors = theme::colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setFont(theme::smallFont());
    for (int i = 0; i < static_cast<int>(m_branches.size()); ++i) {
        const ForkBranch &branch = m_branches[static_cast<std::size_t>(i)];
        const bool current = i == m_current;
        const QPointF start(xOf(branch.token), yOf(i));
        painter.setPen(current ? colors.text : colors.secondary);
        painter.drawText(QRectF(0, start.y() - 10, labelWidth - 4, 20), Qt::AlignRight | Qt::AlignVCenter,
                         QString::number(i + 1));
        painter.setPen(QPen(colors.secondary, 1));
        if (branch.parent >= 0)
            painter.drawLine(QPointF(start.x(), yOf(branch.parent)), start);
        painter.setPen(QPen(current ? colors.accent : colors.secondary, current ? 3 : 1.5));
        const QPointF end(std::max(xOf(branch.tokens), start.x() + 3), start.y());
        painter.drawLine(start, end);
        painter.setBrush(current ? colors.accent : colors.panel);
        painter.drawEllipse(end, 3, 3);
    }
    if (hasFocus()) {
        painter.setPen(colors.accent);
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(rect().adjusted(0, 0, -1, -1));
    }
}

void ForkMap::mousePressEvent(QMouseEvent *event)
{
    if (const auto branch = branchAt(event->pos().y()); branch && *branch != m_current)
        emit branchPicked(*branch);
}

void ForkMap::keyPressEvent(QKeyEvent *event)
{
    const int step = event->key() == Qt::Key_Up ? -1 : event->key() == Qt::Key_Down ? 1 : 0;
    const int target = m_current + step;
    if (step == 0 || target < 0 || target >= static_cast<int>(m_branches.size()))
        QWidget::keyPressEvent(event);
    else
        emit branchPicked(target);
}

bool ForkMap::event(QEvent *event)
{
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    if (const auto at = branchAt(help->pos().y())) {
        const ForkBranch &branch = m_branches[static_cast<std::size_t>(*at)];
        const QString text = branch.parent < 0
            ? tr("Version %1: %2 tokens").arg(*at + 1).arg(branch.tokens)
            : tr("Version %1: %2 tokens, parts from version %3 at token %4")
                  .arg(*at + 1)
                  .arg(branch.tokens)
                  .arg(branch.parent + 1)
                  .arg(branch.token + 1);
        QToolTip::showText(help->globalPos(), text, this);
    }
    return true;
}

} // namespace bathyscope::ui
