// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/heat_legend.h"

#include "ui/inspector/routing_heatmap.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace bathyscope::ui {

HeatLegend::HeatLegend(QWidget *parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void HeatLegend::setScale(const QString &quantity, const QString &end)
{
    m_quantity = quantity;
    m_end = end;
    setAccessibleName(tr("Scale: %1, 0 to %2").arg(quantity, end));
    update();
}

void HeatLegend::paintEvent(QPaintEvent *)
{
    constexpr int barWidth = 96;
    constexpr int barHeight = 8;
    constexpr int space = 6;
    QPainter painter(this);
    QFont font = theme::numberFont();
    font.setPixelSize(12);
    painter.setFont(font);
    painter.setPen(theme::colors().secondary);
    const QFontMetrics metrics = painter.fontMetrics();
    const int endWidth = metrics.horizontalAdvance(m_end);
    int x = width() - endWidth;
    painter.drawText(QRect(x, 0, endWidth, height()), Qt::AlignVCenter, m_end);
    x -= space + barWidth;
    const QRect bar(x, (height() - barHeight) / 2, barWidth, barHeight);
    for (int i = 0; i < barWidth; ++i)
        painter.fillRect(bar.left() + i, bar.top(), 1, barHeight,
                         RoutingHeatmap::colorOf(i / (barWidth - 1.0)));
    const QString begin = tr("%1 0").arg(m_quantity);
    const int beginWidth = metrics.horizontalAdvance(begin);
    x -= space + beginWidth;
    painter.drawText(QRect(x, 0, beginWidth, height()), Qt::AlignVCenter, begin);
    const QString none = tr("not chosen");
    x -= 2 * space + metrics.horizontalAdvance(none);
    painter.drawText(QRect(x, 0, metrics.horizontalAdvance(none), height()), Qt::AlignVCenter, none);
    painter.setPen(theme::colors().line);
    painter.setBrush(theme::heat(0));
    painter.drawRect(QRect(x - space - 14, bar.top(), 14, barHeight - 1));
}

} // namespace bathyscope::ui
