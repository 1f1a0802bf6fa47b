// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/banner.h"

#include "ui/theme/theme.h"
#include "ui/window/bar_button.h"

#include <QAccessible>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>

namespace bathyscope::ui {

namespace {

bool isNotice(Banner::Kind kind)
{
    return kind == Banner::Kind::Notice || kind == Banner::Kind::LastingNotice;
}

bool lasts(Banner::Kind kind)
{
    return kind == Banner::Kind::LastingError || kind == Banner::Kind::LastingNotice;
}

} // namespace

Banner::Banner(Kind kind, QWidget *parent)
    : QWidget(parent)
    , m_kind(kind)
    , m_text(new QLabel(this))
{
    m_text->setTextFormat(Qt::PlainText);
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_text->setAccessibleName(isNotice(kind) ? tr("Notice") : tr("Error"));
    m_text->setFont(theme::textFont());
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 8, 8, 9);
    layout->addWidget(m_text, 1);
    if (!lasts(kind)) {
        auto *dismiss = new BarButton(BarButton::Look::Bare, this);
        dismiss->setText(tr("Dismiss"));
        dismiss->setAccessibleName(isNotice(kind) ? tr("Dismiss the notice") : tr("Dismiss the error"));
        layout->addWidget(dismiss, 0, Qt::AlignTop);
        connect(dismiss, &QToolButton::clicked, this, &QWidget::hide);
    }
    hide();
}

void Banner::show(const QString &text)
{
    m_text->setText(text);
    setVisible(true);
    QAccessibleEvent event(m_text, QAccessible::Alert);
    QAccessible::updateAccessibility(&event);
}

void Banner::showWhile(const QString &text)
{
    if (text.isEmpty())
        hide();
    else
        show(text);
}

QString Banner::text() const
{
    return isHidden() ? QString() : m_text->text();
}

void Banner::paintEvent(QPaintEvent *event)
{
    Q_UNUSED(event)
    const Colors &colors = theme::colors();
    const QColor mark = isNotice(m_kind) ? colors.accent : colors.error;
    QColor tint = mark;
    tint.setAlphaF(0.1F);
    QPainter painter(this);
    painter.fillRect(rect(), colors.panel);
    painter.fillRect(rect(), tint);
    painter.fillRect(0, 0, 3, height(), mark);
    painter.fillRect(0, height() - 1, width(), 1, colors.line);
}

} // namespace bathyscope::ui
