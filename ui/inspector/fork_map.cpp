// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/fork_map.h"

#include "ui/charts/fork_tree_picture.h"
#include "ui/theme/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QPainter>
#include <QToolTip>

namespace bathyscope::ui {

namespace {

constexpr int laneHeight = 20; // px
constexpr int labelWidth = 20;
constexpr int margin = 2;

} // namespace

ForkMap::ForkMap(QWidget *parent)
    : QWidget(parent)
{
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    setAccessibleName(tr("Versions of this answer"));
}

void ForkMap::setTree(std::vector<ForkBranch> branches, int current)
{
    m_branches = std::move(branches);
    m_current = current;
    m_hovered = -1;
    setAccessibleDescription(tr("Version %1 of %2 is shown").arg(current + 1).arg(m_branches.size()));
    updateGeometry();
    update();
}

QSize ForkMap::sizeHint() const
{
    return {200, static_cast<int>(m_branches.size()) * laneHeight + 2 * margin};
}

ForkTreePicture ForkMap::picture() const
{
    const QRectF lanes(labelWidth + 4, margin, width() - labelWidth - 12,
                       static_cast<double>(m_branches.size()) * laneHeight);
    return {m_branches, m_current, lanes, laneHeight};
}

QRect ForkMap::branchRect(int branch) const
{
    return {0, margin + branch * laneHeight, width(), laneHeight};
}

std::optional<int> ForkMap::branchAt(int y) const
{
    const int branch = (y - margin) / laneHeight;
    return y >= margin && branch < static_cast<int>(m_branches.size()) ? std::optional(branch) : std::nullopt;
}

void ForkMap::paintEvent(QPaintEvent *)
{
    const Colors &colors = theme::colors();
    QPainter painter(this);
    QFont font = theme::numberFont();
    font.setPixelSize(12);
    painter.setFont(font);
    for (int i = 0; i < static_cast<int>(m_branches.size()); ++i) {
        painter.setPen(i == m_current ? colors.text : colors.secondary);
        painter.drawText(branchRect(i).adjusted(0, 0, labelWidth - 4 - width(), 0),
                         Qt::AlignRight | Qt::AlignVCenter, QString::number(i + 1));
    }
    picture().paint(painter, m_hovered);
    if (hasFocus()) {
        painter.setRenderHint(QPainter::Antialiasing, false);
        painter.setPen(colors.accent);
        painter.setBrush(Qt::NoBrush);
        painter.drawRect(rect().adjusted(0, 0, -1, -1));
    }
}

void ForkMap::setHovered(int branch)
{
    if (branch == m_hovered)
        return;
    m_hovered = branch;
    setCursor(branch >= 0 && branch != m_current ? Qt::PointingHandCursor : Qt::ArrowCursor);
    update();
}

void ForkMap::mousePressEvent(QMouseEvent *event)
{
    if (const auto branch = branchAt(event->pos().y()); branch && *branch != m_current)
        emit branchPicked(*branch);
}

void ForkMap::mouseMoveEvent(QMouseEvent *event)
{
    setHovered(branchAt(event->pos().y()).value_or(-1));
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
    if (event->type() == QEvent::Leave)
        setHovered(-1);
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto *help = static_cast<QHelpEvent *>(event);
    if (const auto at = branchAt(help->pos().y()))
        QToolTip::showText(help->globalPos(), branchText(m_branches, *at), this);
    return true;
}

} // namespace bathyscope::ui
