// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/context_gauge.h"

#include "ui/theme/theme.h"

#include <QPainter>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr QSize gaugeSize(90, 6);
constexpr double nearlyFull = 0.9;

} // namespace

ContextGauge::ContextGauge(QWidget *parent)
    : QWidget(parent)
{
    setFixedSize(gaugeSize);
    setAccessibleName(tr("Share of the context in use"));
}

void ContextGauge::setShare(double share)
{
    m_share = std::clamp(share, 0.0, 1.0);
    setAccessibleDescription(tr("%1 %").arg(m_share * 100, 0, 'f', 0));
    update();
}

void ContextGauge::paintEvent(QPaintEvent *event)
{
    Q_UNUSED(event)
    const Colors &colors = theme::colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors.line);
    painter.drawRoundedRect(rect(), 3, 3);
    if (m_share <= 0)
        return;
    painter.setBrush(m_share < nearlyFull ? colors.accent : colors.error);
    painter.drawRoundedRect(QRectF(0, 0, std::max(6.0, m_share * width()), height()), 3, 3);
}

} // namespace bathyscope::ui
