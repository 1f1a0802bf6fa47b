// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/heat_controls.h"

#include "ui/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QShortcut>
#include <QSignalBlocker>
#include <QStandardItemModel>
#include <QToolButton>
#include <QVBoxLayout>

namespace bathyscope::ui {

HeatControls::HeatControls(QWidget *parent)
    : QWidget(parent)
    , m_show(addChoice(tr("What the map shows"),
                       {tr("This token"), tr("Whole reply"), tr("Reasoning minus answer"),
                        tr("This token minus the pinned one"), QString()}))
    , m_scale(addChoice(tr("Scale of the map"), {tr("Linear"), tr("Logarithmic")}))
    , m_share(addChoice(tr("Unit of the map"), {tr("Absolute"), tr("Against uniform")}))
    , m_orderChoice(
          addChoice(tr("Order of the experts"), {tr("By number"), tr("By load"), tr("By co-activation")}))
    , m_pin(new QToolButton(this))
{
    m_pin->setFont(theme::smallFont());
    m_pin->setCheckable(true);
    connect(m_pin, &QToolButton::clicked, this, &HeatControls::pinRequested);
    auto *first = new QHBoxLayout;
    first->setSpacing(8);
    first->addWidget(m_show, 1);
    first->addWidget(m_pin);
    m_pin->setFixedHeight(m_show->sizeHint().height());
    auto *second = new QHBoxLayout;
    second->setSpacing(8);
    second->addWidget(m_scale, 2);
    second->addWidget(m_share, 3);
    second->addWidget(m_orderChoice, 3);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addLayout(first);
    layout->addLayout(second);
    addKey(QStringLiteral("T"), HeatMode::Show::Token);
    addKey(QStringLiteral("W"), HeatMode::Show::Reply);
    setSibling({});
    setPinned({});
    writeChoices();
}

QComboBox *HeatControls::addChoice(const QString &name, const QStringList &choices)
{
    auto *box = new QComboBox(this);
    box->setFont(theme::smallFont());
    box->addItems(choices);
    box->setAccessibleName(name);
    box->setToolTip(name);
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(8);
    connect(box, &QComboBox::activated, this, &HeatControls::readChoices);
    return box;
}

void HeatControls::addKey(const QString &key, HeatMode::Show show)
{
    auto *shortcut = new QShortcut(QKeySequence(QStringLiteral("Alt+") + key), this);
    connect(shortcut, &QShortcut::activated, this, [this, show] {
        m_show->setCurrentIndex(static_cast<int>(show));
        readChoices();
    });
}

void HeatControls::readChoices()
{
    m_mode.show = static_cast<HeatMode::Show>(m_show->currentIndex());
    m_mode.scale = static_cast<HeatMode::Scale>(m_scale->currentIndex());
    m_mode.share = static_cast<HeatMode::Share>(m_share->currentIndex());
    m_order = static_cast<Order>(m_orderChoice->currentIndex());
    writeChoices();
    emit changed();
}

void HeatControls::writeChoices()
{
    m_show->setCurrentIndex(static_cast<int>(m_mode.show));
    m_scale->setCurrentIndex(static_cast<int>(m_mode.scale));
    m_share->setCurrentIndex(static_cast<int>(m_mode.share));
    m_orderChoice->setCurrentIndex(static_cast<int>(m_order));
    m_share->setEnabled(m_mode.isOfShares()); // weights know no uniform share
}

void HeatControls::setMode(const HeatMode &mode)
{
    if (mode == m_mode)
        return;
    m_mode = mode;
    writeChoices();
    emit changed();
}

void HeatControls::setOrder(Order order)
{
    if (order == m_order)
        return;
    m_order = order;
    writeChoices();
    emit changed();
}

void HeatControls::setAvailable(HeatMode::Show show, const QString &reason)
{
    auto *items = qobject_cast<QStandardItemModel *>(m_show->model());
    QStandardItem *item = items->item(static_cast<int>(show));
    item->setEnabled(reason.isEmpty());
    item->setToolTip(reason);
    if (m_mode.show == show && !reason.isEmpty()) {
        m_mode.show = HeatMode::Show::Reply;
        writeChoices();
        emit changed();
    }
}

void HeatControls::setSibling(std::optional<int> version)
{
    m_show->setItemText(static_cast<int>(HeatMode::Show::Sibling),
                        version ? tr("This reply minus version %1 from the fork on").arg(*version + 1)
                                : tr("This reply minus another version"));
    setAvailable(HeatMode::Show::Sibling, version ? QString() : tr("This reply has no other version."));
}

void HeatControls::setPinned(const QString &name)
{
    m_pin->setChecked(!name.isEmpty());
    m_pin->setText(name.isEmpty() ? tr("Pin this token") : tr("Pinned: %1").arg(name));
    m_pin->setToolTip(name.isEmpty() ? tr("Keep this token, to compare others with it (Alt+P)")
                                     : tr("Let go of the pinned token (Alt+P)"));
    setAvailable(HeatMode::Show::Pinned, name.isEmpty() ? tr("No token is pinned.") : QString());
}

} // namespace bathyscope::ui
