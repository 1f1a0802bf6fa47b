// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/empty_state.h"

#include "ui/theme/theme.h"

#include <QEvent>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace bathyscope::ui {

EmptyState::EmptyState(QWidget *parent)
    : QWidget(parent)
    , m_sentence(new QLabel(this))
    , m_chips(new QWidget(this))
    , m_chipLayout(new QVBoxLayout(m_chips))
{
    setObjectName(QStringLiteral("emptyState"));
    m_sentence->setWordWrap(true);
    m_sentence->setAlignment(Qt::AlignCenter);
    m_chipLayout->setContentsMargins(0, 0, 0, 0);
    m_chipLayout->setSpacing(8);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(20);
    layout->addStretch(2);
    layout->addWidget(m_sentence);
    layout->addWidget(m_chips, 0, Qt::AlignHCenter);
    layout->addStretch(3);
    applyColors();
}

void EmptyState::setText(const QString &sentence)
{
    m_sentence->setText(sentence);
}

void EmptyState::setExamples(const QStringList &prompts)
{
    const auto old = m_chips->findChildren<QPushButton *>();
    for (QPushButton *chip : old) {
        m_chipLayout->removeWidget(chip);
        chip->hide();
        chip->deleteLater();
    }
    for (const QString &prompt : prompts) {
        // An ampersand would become a mnemonic.
        auto *chip = new QPushButton(QString(prompt).replace(u'&', QStringLiteral("&&")), m_chips);
        chip->setObjectName(QStringLiteral("example"));
        chip->setCursor(Qt::PointingHandCursor);
        chip->setAccessibleName(QStringLiteral("Ask: ") + prompt);
        connect(chip, &QPushButton::clicked, this, [this, prompt] { emit picked(prompt); });
        m_chipLayout->addWidget(chip, 0, Qt::AlignHCenter);
    }
}

void EmptyState::changeEvent(QEvent *event)
{
    if (event->type() == QEvent::PaletteChange)
        applyColors();
    QWidget::changeEvent(event);
}

void EmptyState::applyColors()
{
    const Colors &colors = theme::colors();
    m_sentence->setFont(theme::messageFont());
    m_sentence->setStyleSheet(
        QStringLiteral("color: %1; background: transparent;").arg(colors.secondary.name()));
    m_chips->setStyleSheet(
        QStringLiteral("QPushButton { background: %1; color: %2; border: 1px solid %3;"
                       " border-radius: 8px; padding: 8px 16px; font-size: 14px; font-weight: 400; }"
                       "QPushButton:hover { border-color: %4; }"
                       "QPushButton:focus { border-color: %4; }")
            .arg(colors.panel.name(), colors.text.name(), colors.line.name(), colors.accent.name()));
}

} // namespace bathyscope::ui
