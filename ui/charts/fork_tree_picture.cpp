// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/fork_tree_picture.h"

#include "ui/theme/theme.h"

#include <QPainter>

#include <algorithm>

namespace bathyscope::ui {

ForkTreePicture::ForkTreePicture(const std::vector<ForkBranch> &branches, int current, const QRectF &area,
                                 qreal leastLane)
    : m_branches(branches)
    , m_current(current)
    , m_area(area)
{
    const int all = static_cast<int>(branches.size());
    const int room = std::clamp(static_cast<int>(area.height() / leastLane), 1, std::max(all, 1));
    m_first = std::clamp(current - room / 2, 0, std::max(all - room, 0));
    m_end = std::min(m_first + room, all);
    for (const ForkBranch &branch : branches)
        m_longest = std::max(m_longest, branch.tokens);
}

qreal ForkTreePicture::xOf(int token) const
{
    return m_area.left() + m_area.width() * token / m_longest;
}

QRectF ForkTreePicture::laneOf(int branch) const
{
    const qreal height = m_area.height() / std::max(m_end - m_first, 1);
    return {m_area.left(), m_area.top() + (branch - m_first) * height, m_area.width(), height};
}

/// A parent that is not drawn lies beyond the edge.
qreal ForkTreePicture::yOf(int branch) const
{
    return branch < m_first ? m_area.top() : laneOf(branch).center().y();
}

void ForkTreePicture::paint(QPainter &painter, int hovered) const
{
    const Colors &colors = theme::colors();
    painter.setRenderHint(QPainter::Antialiasing);
    const qreal dot = std::clamp(laneOf(m_first).height() / 2 - 1, 1.5, 3.0);
    for (int i = m_first; i < m_end; ++i) {
        const ForkBranch &branch = m_branches[static_cast<std::size_t>(i)];
        const bool current = i == m_current;
        const QPointF start(xOf(branch.token), yOf(i));
        painter.setPen(QPen(colors.secondary, 1));
        if (branch.parent >= 0)
            painter.drawLine(QPointF(start.x(), yOf(branch.parent)), start);
        const QColor color = current || i == hovered ? colors.accent : colors.secondary;
        painter.setPen(QPen(color, current ? dot : dot / 2));
        const QPointF end(std::max(xOf(branch.tokens), start.x() + dot), start.y());
        painter.drawLine(start, end);
        painter.setPen(QPen(color, 1));
        painter.setBrush(current ? color : colors.panel);
        painter.drawEllipse(end, dot, dot);
    }
}

} // namespace bathyscope::ui
