// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/top_bar.h"

#include "ui/theme/theme.h"
#include "ui/window/bar_button.h"
#include "ui/window/format.h"

#include <QAction>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QPainter>

namespace bathyscope::ui {

namespace {

constexpr int barHeight = 44;

} // namespace

TopBar::TopBar(QWidget *parent)
    : QWidget(parent)
    , m_model(new BarButton(BarButton::Look::Framed, this))
    , m_cancel(new BarButton(BarButton::Look::Bare, this))
    , m_device(new BarButton(BarButton::Look::Framed, this))
    , m_modelMenu(new QMenu(this))
    , m_commands(new QHBoxLayout)
{
    setFixedHeight(barHeight);
    auto *name = new QLabel(QStringLiteral("Bathyscope"), this);
    QFont font = theme::textFont();
    font.setWeight(QFont::DemiBold);
    name->setFont(font);
    m_model->setMenu(m_modelMenu);
    m_model->setAccessibleName(tr("Model"));
    m_device->setAccessibleName(tr("Device"));
    m_cancel->setText(tr("Cancel"));
    m_cancel->setAccessibleName(tr("Cancel loading"));
    m_cancel->setToolTip(tr("Keep the model that is open (Esc)"));
    connect(m_cancel, &QToolButton::clicked, this, &TopBar::cancelRequested);

    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 0, 8, 1);
    layout->setSpacing(0);
    layout->addWidget(name);
    layout->addSpacing(16);
    layout->addWidget(m_model);
    layout->addWidget(m_cancel);
    layout->addSpacing(12);
    layout->addWidget(m_device);
    layout->addStretch(1);
    layout->addSpacing(12);
    layout->addLayout(m_commands);
    m_commands->setSpacing(0);
    setNoModel();
}

void TopBar::setModel(const ModelInfo &model, const QString &title)
{
    m_model->setText(formatModel(model, title));
    m_model->setToolTip(QString::fromStdString(model.path));
    m_cancel->hide();
    m_device->setText(QString::fromStdString(model.device));
    m_device->setToolTip(model.plan.note.empty() ? tr("Device and memory")
                                                 : QString::fromStdString(model.plan.note));
    m_device->setVisible(true);
}

void TopBar::setLoading(const QString &title, qint64 done, qint64 total)
{
    m_model->setText(total == 0
                         ? tr("Loading %1…").arg(title)
                         : tr("Loading %1: %2 of %3").arg(title, formatBytes(done), formatBytes(total)));
    m_cancel->show();
}

void TopBar::setNoModel()
{
    m_model->setText(tr("Open a model"));
    m_cancel->hide();
    m_device->setVisible(false);
}

void TopBar::setOpenCommands(const QList<QAction *> &actions)
{
    m_open = actions;
}

void TopBar::setModels(const QString &builtin, const std::vector<RecentModel> &recent)
{
    m_modelMenu->clear();
    m_modelMenu->addActions(m_open);
    const auto addModel = [this](const QString &title, const QString &path) {
        QAction *action = m_modelMenu->addAction(title, this, [this, path] { emit modelPicked(path); });
        action->setToolTip(path);
    };
    m_modelMenu->setToolTipsVisible(true);
    m_modelMenu->addSeparator();
    if (!builtin.isEmpty())
        addModel(tr("Built-in"), builtin);
    for (const RecentModel &model : recent)
        addModel(model.title, model.path);
}

void TopBar::setDeviceCommand(QAction *action)
{
    connect(m_device, &QToolButton::clicked, action, &QAction::trigger);
}

void TopBar::addCommand(QAction *action)
{
    auto *button = new BarButton(BarButton::Look::Bare, this);
    button->setDefaultAction(action);
    button->setAccessibleName(action->text());
    m_commands->addWidget(button);
}

void TopBar::addMenu(const QString &title, QMenu *menu)
{
    auto *button = new BarButton(BarButton::Look::Bare, this);
    button->setText(title);
    button->setAccessibleName(title);
    button->setMenu(menu);
    m_commands->addWidget(button);
}

void TopBar::paintEvent(QPaintEvent *event)
{
    Q_UNUSED(event)
    QPainter painter(this);
    painter.fillRect(rect(), theme::colors().panel);
    painter.fillRect(0, rect().bottom(), width(), 1, theme::colors().line);
}

} // namespace bathyscope::ui
