// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/heat_legend.h"

#include "ui/inspector/routing_heatmap.h"
#include "ui/theme/theme.h"

#include <QPainter>

namespace bathyscope::ui {

namespace {

constexpr int barWidth = 96;
constexpr int barHeight = 8;
constexpr int space = 6;

/// Writes `text` so that it ends at `right`; returns where it begins.
int writeBefore(QPainter &painter, int right, int height, const QString &text)
{
    const int width = painter.fontMetrics().horizontalAdvance(text);
    painter.drawText(QRect(right - width, 0, width, height), Qt::AlignVCenter, text);
    return right - width;
}

} // namespace

HeatLegend::HeatLegend(QWidget *parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void HeatLegend::setScale(const Scale &scale)
{
    m_scale = scale;
    setAccessibleName(tr("Scale: %1, %2 to %3").arg(scale.quantity, scale.low, scale.high));
    update();
}

void HeatLegend::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    QFont font = theme::numberFont();
    font.setPixelSize(12);
    painter.setFont(font);
    painter.setPen(theme::colors().secondary);
    const bool diverging = !m_scale.middle.isEmpty();
    const auto drawBar = [&](int right) {
        const QRect bar(right - barWidth, (height() - barHeight) / 2, barWidth, barHeight);
        for (int i = 0; i < barWidth; ++i) {
            const double t = i / (barWidth - 1.0);
            painter.fillRect(bar.left() + i, bar.top(), 1, barHeight,
                             diverging ? theme::difference(2 * t - 1) : RoutingHeatmap::colorOf(t));
        }
        return bar.left();
    };
    int x = writeBefore(painter, width(), height(), m_scale.high);
    x = drawBar(x - space);
    x = writeBefore(painter, x - space, height(), m_scale.low);
    x = writeBefore(painter, x - 2 * space, height(), m_scale.quantity);
    x = writeBefore(painter, x - 3 * space, height(), diverging ? m_scale.middle : tr("not chosen"));
    painter.setPen(theme::colors().line);
    painter.setBrush(diverging ? theme::difference(0) : theme::heat(0));
    painter.drawRect(QRect(x - space - 14, (height() - barHeight) / 2, 14, barHeight - 1));
}

} // namespace bathyscope::ui
