// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/bottom_bar.h"

#include "ui/theme/theme.h"
#include "ui/window/context_gauge.h"
#include "ui/window/format.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLocale>
#include <QPainter>
#include <QStyle>

namespace bathyscope::ui {

namespace {

constexpr int barHeight = 28;

void setTextOrHide(QLabel *label, bool known, const QString &text)
{
    label->setText(text);
    label->setVisible(known);
}

} // namespace

BottomBar::BottomBar(QWidget *parent)
    : QWidget(parent)
    , m_context(addLabel(tr("Context used")))
    , m_gauge(new ContextGauge(this))
    , m_cache(addLabel(tr("Size of the cache")))
    , m_decode(addLabel(tr("Decoding speed")))
    , m_prefill(addLabel(tr("Prefill speed")))
    , m_saved(addLabel(tr("Whether the conversation is stored")))
{
    setFixedHeight(barHeight);
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 1, 16, 0);
    layout->setSpacing(24);
    for (QWidget *part :
         {static_cast<QWidget *>(m_context), static_cast<QWidget *>(m_gauge), static_cast<QWidget *>(m_cache),
          static_cast<QWidget *>(m_decode), static_cast<QWidget *>(m_prefill)})
        layout->addWidget(part);
    layout->addStretch(1);
    layout->addWidget(m_saved);
    m_cache->setToolTip(tr("Memory of the tokens held: for multi-head latent attention, the latent vectors"));
    setStatus({});
    setSaveState(SaveState::Saved);
}

QLabel *BottomBar::addLabel(const QString &accessibleName)
{
    auto *label = new QLabel(this);
    label->setFont(theme::smallFont());
    label->setProperty("role", "secondary");
    label->setAccessibleName(accessibleName);
    label->setTextFormat(Qt::PlainText);
    return label;
}

void BottomBar::setStatus(const EngineStatus &status)
{
    const QLocale locale;
    const bool hasContext = status.contextLength > 0;
    setTextOrHide(m_context, hasContext,
                  tr("Context %1 of %2")
                      .arg(locale.toString(status.contextUsed), locale.toString(status.contextLength)));
    m_gauge->setVisible(hasContext);
    m_gauge->setShare(hasContext ? static_cast<double>(status.contextUsed) / status.contextLength : 0);
    const QString cache = status.latentCache ? tr("Latent cache %1") : tr("Cache %1");
    setTextOrHide(m_cache, status.cacheBytes > 0, cache.arg(formatBytes(status.cacheBytes)));
    setTextOrHide(m_decode, status.decodeSpeed > 0, tr("Decode %1").arg(formatSpeed(status.decodeSpeed)));
    setTextOrHide(m_prefill, status.prefillSpeed > 0, tr("Prefill %1").arg(formatSpeed(status.prefillSpeed)));
}

void BottomBar::setSaveState(SaveState state, const QString &detail)
{
    switch (state) {
    case SaveState::Saved:
        m_saved->setText(tr("Saved"));
        break;
    case SaveState::Saving:
        m_saved->setText(tr("Saving…"));
        break;
    case SaveState::NotSaved:
        m_saved->setText(tr("Not saved"));
        break;
    case SaveState::ReadOnly:
        m_saved->setText(tr("Read only"));
        break;
    }
    m_saved->setToolTip(detail);
    m_saved->setProperty("role", state == SaveState::NotSaved ? "error" : "secondary");
    m_saved->style()->unpolish(m_saved);
    m_saved->style()->polish(m_saved);
}

void BottomBar::paintEvent(QPaintEvent *event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.fillRect(rect(), theme::colors().panel);
    painter.fillRect(0, 0, width(), 1, theme::colors().line);
}

} // namespace bathyscope::ui
