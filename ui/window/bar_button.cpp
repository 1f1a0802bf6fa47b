// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/bar_button.h"

#include "ui/theme/theme.h"

#include <QPainter>

namespace bathyscope::ui {

namespace {

constexpr int framedPadding = 12;
constexpr int barePadding = 8;
constexpr int buttonHeight = 30;
constexpr int shortest = 90; // px a framed button can shrink to

} // namespace

BarButton::BarButton(Look look, QWidget *parent)
    : QToolButton(parent)
    , m_look(look)
{
    setFocusPolicy(Qt::TabFocus);
    setPopupMode(QToolButton::InstantPopup);
    setAttribute(Qt::WA_Hover);
    setSizePolicy(look == Look::Framed ? QSizePolicy::Preferred : QSizePolicy::Fixed, QSizePolicy::Fixed);
}

QString BarButton::shownText() const
{
    return menu() != nullptr || m_look == Look::Framed ? text() + QStringLiteral(" ▾") : text();
}

QSize BarButton::sizeHint() const
{
    const int padding = m_look == Look::Framed ? framedPadding : barePadding;
    return {QFontMetrics(theme::textFont()).horizontalAdvance(shownText()) + 2 * padding + 1, buttonHeight};
}

QSize BarButton::minimumSizeHint() const
{
    const QSize hint = sizeHint();
    return m_look == Look::Framed ? QSize(std::min(shortest, hint.width()), buttonHeight) : hint;
}

void BarButton::paintEvent(QPaintEvent *event)
{
    Q_UNUSED(event)
    const Colors &colors = theme::colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF frame = QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5);
    const bool bare = m_look == Look::Bare;
    const bool lit = underMouse() || isDown();
    if (!bare || lit || hasFocus()) {
        painter.setPen(hasFocus() ? colors.accent : bare ? QColor(Qt::transparent) : colors.line);
        painter.setBrush(lit ? colors.hover : QColor(Qt::transparent));
        painter.drawRoundedRect(frame, theme::radius, theme::radius);
    }
    const QFont font = theme::textFont();
    painter.setFont(font);
    painter.setPen(!isEnabled() || (bare && !lit && !isChecked()) ? colors.secondary : colors.text);
    const int padding = bare ? barePadding : framedPadding;
    const QRect line = rect().adjusted(padding, 0, -padding, 0);
    painter.drawText(line, Qt::AlignVCenter | (bare ? Qt::AlignHCenter : Qt::AlignLeft),
                     QFontMetrics(font).elidedText(shownText(), Qt::ElideMiddle, line.width() + 1));
}

} // namespace bathyscope::ui
