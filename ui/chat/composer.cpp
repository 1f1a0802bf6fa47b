// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/composer.h"

#include "ui/theme/theme.h"

#include <QAbstractTextDocumentLayout>
#include <QEvent>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollBar>
#include <QTextBlock>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int margin = 24; ///< px beside the field, as beside the chat's column
constexpr int below = 16; ///< px under the field
constexpr int padding = 12; ///< px between the field's edge and its content
constexpr int buttonWidth = 80;
constexpr int buttonHeight = 32;
constexpr int hintHeight = 24;
constexpr int mostLines = 8;

} // namespace

Composer::Composer(QWidget *parent)
    : QWidget(parent)
    , m_edit(new QPlainTextEdit(this))
    , m_button(new QPushButton(this))
    , m_cancel(new QPushButton(QStringLiteral("Cancel"), this))
    , m_hint(new QLabel(this))
    , m_placeholder(tr("Write a message"))
{
    setObjectName(QStringLiteral("composer"));
    m_edit->setObjectName(QStringLiteral("prompt"));
    m_edit->setAccessibleName(QStringLiteral("Message"));
    m_edit->setAccessibleDescription(QStringLiteral("Enter sends, Shift and Enter begin a new line"));
    m_edit->setFrameShape(QFrame::NoFrame);
    m_edit->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_edit->setTabChangesFocus(true);
    m_edit->document()->setDocumentMargin(0);
    m_edit->installEventFilter(this);
    m_button->setObjectName(QStringLiteral("send"));
    m_button->setCursor(Qt::PointingHandCursor);
    m_cancel->setObjectName(QStringLiteral("cancelEdit"));
    m_cancel->setCursor(Qt::PointingHandCursor);
    setFocusProxy(m_edit);
    setTabOrder(m_edit, m_cancel);
    setTabOrder(m_cancel, m_button);
    connect(m_button, &QPushButton::clicked, this, &Composer::press);
    connect(m_cancel, &QPushButton::clicked, this, &Composer::cancelEdit);
    connect(m_edit, &QPlainTextEdit::textChanged, this, [this] {
        updateButtons();
        updateHeight();
    });
    applyColors();
    updateButtons();
    updateHeight();
}

QString Composer::text() const
{
    return m_edit->toPlainText();
}

void Composer::setText(const QString &text)
{
    m_edit->setPlainText(text);
    m_edit->moveCursor(QTextCursor::End);
}

void Composer::setPlaceholder(const QString &text)
{
    m_placeholder = text;
    updateButtons();
}

void Composer::setRunning(bool running)
{
    m_running = running;
    updateButtons();
}

void Composer::setDisabledReason(const QString &reason)
{
    m_reason = reason;
    updateButtons();
    updateHeight();
}

void Composer::beginEdit(MessageId id, const QString &text)
{
    if (!m_editing)
        m_draft = this->text();
    m_editing = id;
    setText(text);
    m_edit->setFocus();
    updateButtons();
    updateHeight();
}

void Composer::cancelEdit()
{
    if (!m_editing)
        return;
    endEdit();
    emit editCancelled();
}

void Composer::endEdit()
{
    m_editing.reset();
    setText(m_draft);
    m_draft.clear();
    m_edit->setFocus();
    updateButtons();
    updateHeight();
}

void Composer::press()
{
    if (m_running)
        emit stopRequested();
    else
        send();
}

void Composer::send()
{
    const QString written = text().trimmed();
    if (m_running || !m_reason.isEmpty() || written.isEmpty())
        return;
    if (m_editing) {
        const MessageId id = *m_editing;
        endEdit();
        emit editSubmitted(id, written);
    } else {
        m_edit->clear();
        emit submitted(written);
    }
}

bool Composer::escape()
{
    if (m_running)
        emit stopRequested();
    else if (m_editing)
        cancelEdit();
    else
        return false;
    return true;
}

bool Composer::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_edit && (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut))
        update();
    if (watched != m_edit || (event->type() != QEvent::KeyPress && event->type() != QEvent::ShortcutOverride))
        return QWidget::eventFilter(watched, event);
    auto *key = static_cast<QKeyEvent *>(event);
    const bool escapes = key->key() == Qt::Key_Escape && (m_running || m_editing);
    if (event->type() == QEvent::ShortcutOverride) {
        if (escapes)
            event->accept();
        return escapes;
    }
    if (escapes)
        return escape();
    const bool enter = key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter;
    if (!enter || (key->modifiers() & Qt::ShiftModifier) != 0)
        return QWidget::eventFilter(watched, event);
    send();
    return true;
}

void Composer::keyPressEvent(QKeyEvent *event)
{
    if (event->key() != Qt::Key_Escape || !escape())
        QWidget::keyPressEvent(event);
}

void Composer::updateButtons()
{
    const bool usable = m_reason.isEmpty();
    m_edit->setEnabled(usable);
    m_edit->setPlaceholderText(usable ? m_placeholder : QString());
    m_button->setText(m_running       ? QStringLiteral("Stop")
                          : m_editing ? QStringLiteral("Resend")
                                      : QStringLiteral("Send ⏎"));
    m_button->setAccessibleName(m_running ? QStringLiteral("Stop the reply")
                                          : QStringLiteral("Send the message"));
    m_button->setToolTip(m_running ? QStringLiteral("Esc") : QString());
    m_button->setEnabled(m_running || (usable && !text().trimmed().isEmpty()));
    m_cancel->setVisible(m_editing.has_value());
    m_hint->setText(!usable         ? m_reason
                        : m_editing ? QStringLiteral("Editing an earlier message; its reply is written anew.")
                                    : QString());
    m_hint->setVisible(!m_hint->text().isEmpty());
}

QRect Composer::box() const
{
    const int width = std::min(this->width() - 2 * margin, theme::chatWidth);
    const int top = m_hint->isHidden() ? 0 : hintHeight;
    return {(this->width() - width) / 2, top, width, height() - below - top};
}

void Composer::updateHeight()
{
    const QRect field = box();
    const int buttons = buttonWidth + (m_cancel->isHidden() ? 0 : buttonWidth + 8);
    m_edit->setFixedWidth(std::max(field.width() - 2 * padding - buttons - 12, 80));
    const int line = QFontMetrics(m_edit->font()).lineSpacing();
    // A plain text document counts its height in lines.
    const int lines = std::clamp(
        static_cast<int>(m_edit->document()->documentLayout()->documentSize().height()), 1, mostLines);
    const int content = std::max(lines * line, line);
    m_edit->setFixedHeight(content + 2);
    const int wanted = std::max(content + 2, buttonHeight) + 2 * padding - 6;
    setFixedHeight(wanted + below + (m_hint->isHidden() ? 0 : hintHeight));
    const QRect now = box();
    const int textTop = lines == 1 ? now.center().y() - m_edit->height() / 2 + 1 : now.top() + padding - 3;
    m_edit->move(now.left() + padding + 2, textTop);
    const int buttonTop = now.bottom() - buttonHeight - padding + 5;
    m_button->setGeometry(now.right() - padding - buttonWidth + 4, buttonTop, buttonWidth, buttonHeight);
    m_cancel->setGeometry(m_button->x() - buttonWidth - 8, buttonTop, buttonWidth, buttonHeight);
    m_hint->setGeometry(now.left() + 2, 0, now.width() - 4, hintHeight - 2);
    update();
}

void Composer::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    updateHeight();
}

void Composer::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        applyColors();
    QWidget::changeEvent(event);
}

void Composer::applyColors()
{
    const Colors &colors = theme::colors();
    m_edit->setFont(theme::messageFont());
    m_edit->setStyleSheet(QStringLiteral("QPlainTextEdit { background: transparent; border: none; padding: "
                                         "0; color: %1; font-size: 15px; }")
                              .arg(colors.text.name()));
    QPalette palette = m_edit->palette();
    palette.setColor(QPalette::PlaceholderText, colors.secondary);
    m_edit->setPalette(palette);
    m_hint->setStyleSheet(
        QStringLiteral("color: %1; background: transparent; font-size: 12px;").arg(colors.secondary.name()));
    m_button->setStyleSheet(
        QStringLiteral("QPushButton { background: %1; color: %2; border: 2px solid %1; border-radius: 8px; "
                       "font-size: 14px; font-weight: 500; padding: 0; }"
                       "QPushButton:focus { border-color: %3; }"
                       "QPushButton:disabled { background: %4; border-color: %4; color: %5; }")
            .arg(colors.accent.name(), colors.onAccent.name(), colors.text.name(), colors.line.name(),
                 colors.secondary.name()));
    m_cancel->setStyleSheet(
        QStringLiteral("QPushButton { background: transparent; color: %1; border: 1px solid %2; "
                       "border-radius: 8px; font-size: 14px; font-weight: 400; padding: 0; }"
                       "QPushButton:focus, QPushButton:hover { border-color: %3; }")
            .arg(colors.text.name(), colors.line.name(), colors.accent.name()));
}

void Composer::paintEvent(QPaintEvent * /*event*/)
{
    const Colors &colors = theme::colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_edit->hasFocus() ? colors.accent : colors.line, 1));
    painter.setBrush(colors.panel);
    painter.drawRoundedRect(QRectF(box()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10);
}

} // namespace bathyscope::ui
