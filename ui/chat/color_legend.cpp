// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/color_legend.h"

#include "ui/theme/theme.h"

#include <QPainter>

#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int steps = 8;
constexpr int stepWidth = 14; // px
constexpr int margin = 8;
constexpr double leastHeat = 0.04; // below, nothing is drawn: most of a text is as expected
constexpr double strongest = 0.42; // alpha; text keeps its contrast on it

} // namespace

void paintTokenHeat(QPainter &painter, const QRectF &rect, double heat)
{
    if (heat < leastHeat)
        return;
    const Colors &colors = theme::colors();
    QColor ground = colors.accent;
    ground.setAlphaF(static_cast<float>(strongest * heat));
    painter.fillRect(rect, ground);
    const qreal thickness = 1 + std::round(2 * heat);
    painter.fillRect(QRectF(rect.left(), rect.bottom() - thickness, rect.width() - 1, thickness),
                     colors.text);
}

ColorLegend::ColorLegend(QWidget *parent)
    : QAbstractButton(parent)
{
    setCursor(Qt::PointingHandCursor);
    setFont(theme::smallFont());
    setFocusPolicy(Qt::TabFocus);
    setToolTip(tr("Click for the next scale"));
}

void ColorLegend::setScale(ColorBy by)
{
    m_scale = tokenScale(by);
    setAccessibleName(tr("Text coloured by %1").arg(m_scale.name));
    setVisible(by != ColorBy::Nothing);
    resize(sizeHint());
    update();
}

QSize ColorLegend::sizeHint() const
{
    const QFontMetrics metrics(font());
    const int texts = metrics.horizontalAdvance(m_scale.name + m_scale.least + m_scale.most);
    return {texts + steps * stepWidth + 2 * margin + 28, 28};
}

void ColorLegend::paintEvent(QPaintEvent *)
{
    const Colors &colors = theme::colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(hasFocus() ? colors.accent : colors.line);
    painter.setBrush(colors.panel);
    painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    painter.setRenderHint(QPainter::Antialiasing, false);
    const QFontMetrics metrics(font());
    int x = margin;
    const auto write = [&](const QString &text, const QColor &color, int gap) {
        painter.setPen(color);
        const int width = metrics.horizontalAdvance(text);
        painter.drawText(QRect(x, 0, width + 1, height()), Qt::AlignLeft | Qt::AlignVCenter, text);
        x += width + gap;
    };
    write(m_scale.name, colors.text, 12);
    write(m_scale.least, colors.secondary, 6);
    for (int step = 0; step < steps; ++step, x += stepWidth)
        paintTokenHeat(painter, QRectF(x, 6, stepWidth, height() - 12),
                       static_cast<double>(step) / (steps - 1));
    x += 6;
    write(m_scale.most, colors.secondary, 0);
}

} // namespace bathyscope::ui
