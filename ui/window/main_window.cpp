// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/main_window.h"

#include "ui/chat/chat_view.h"
#include "ui/chat/composer.h"
#include "ui/inspector/inspector.h"
#include "ui/panels/sampling_panel.h"
#include "ui/theme/theme.h"
#include "ui/window/banner.h"
#include "ui/window/dialogs.h"

#include <QAction>
#include <QApplication>
#include <QCloseEvent>
#include <QDataStream>
#include <QDesktopServices>
#include <QDockWidget>
#include <QGuiApplication>
#include <QMainWindow>
#include <QScreen>
#include <QSplitter>
#include <QVBoxLayout>

namespace bathyscope::ui {

namespace {

constexpr int conversationsWidth = 232;
constexpr int inspectorWidth = 468;
constexpr int samplingWidth = 300;
constexpr int inspectorMinimum = 440; // px; a narrower table would cut its columns
constexpr int chatMinimum = 320;
constexpr int roomForThree = 1080; // px; a narrower window does without the conversations
constexpr int roomForFour = 1400; // px; a narrower window shows the inspector or the sampling, not both
constexpr QSize preferredSize(1440, 900);
constexpr QSize smallestSize(640, 400);
constexpr quint32 layoutMagic = 0x42415448;
constexpr quint32 layoutVersion = 1;

} // namespace

MainWindow::MainWindow(ChatModel *chat, Selection *selection, ConversationModel *conversations,
                       QWidget *parent)
    : QWidget(parent)
    , m_messages(chat)
    , m_top(new TopBar(this))
    , m_storageProblem(new Banner(Banner::Kind::LastingError, this))
    , m_clockProblem(new Banner(Banner::Kind::LastingNotice, this))
    , m_error(new Banner(Banner::Kind::Error, this))
    , m_notice(new Banner(Banner::Kind::Notice, this))
    , m_docks(new QMainWindow(this))
    , m_bottom(new BottomBar(this))
    , m_columns(new QSplitter(m_docks))
    , m_conversations(new ConversationList(conversations, m_columns))
    , m_chat(new ChatView(chat, selection, m_columns))
    , m_composer(new Composer(m_columns))
    , m_inspector(new Inspector(chat, selection, m_docks))
    , m_selection(selection)
    , m_sampling(new SamplingPanel(m_docks))
{
    setWindowIcon(theme::applicationIcon());
    setConversationTitle({});
    setMinimumSize(smallestSize);
    m_docks->setWindowFlags(Qt::Widget); // QMainWindow makes itself a window of its own
    buildColumns();
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_top);
    layout->addWidget(m_storageProblem);
    layout->addWidget(m_clockProblem);
    layout->addWidget(m_error);
    layout->addWidget(m_notice);
    layout->addWidget(m_docks, 1);
    layout->addWidget(m_bottom);
    connectChat();
    buildCommands();
    resize(preferredSize.boundedTo(QGuiApplication::primaryScreen()->availableSize()));
    setReplying(false);
}

void MainWindow::buildColumns()
{
    auto *middle = new QWidget(m_columns);
    auto *column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_chat, 1);
    column->addWidget(m_composer);
    middle->setMinimumWidth(chatMinimum);

    m_conversations->setMinimumWidth(conversationsWidth * 3 / 4);
    m_columns->addWidget(m_conversations);
    m_columns->addWidget(middle);
    m_columns->setStretchFactor(0, 0);
    m_columns->setStretchFactor(1, 1);
    m_columns->setHandleWidth(1);
    m_columns->setChildrenCollapsible(false);
    m_columns->setSizes({conversationsWidth, preferredSize.width()});
    m_docks->setCentralWidget(m_columns);
    m_docks->setDockOptions(QMainWindow::AllowNestedDocks);

    m_samplingDock = addDock(QStringLiteral("sampling"), tr("Sampling"), m_sampling);
    m_samplingDock->hide();
    m_inspectorDock = addDock(QStringLiteral("inspector"), tr("Inspector"), m_inspector);
    m_inspector->setMinimumWidth(inspectorMinimum);
    m_sampling->setMinimumWidth(samplingWidth);
}

QDockWidget *MainWindow::addDock(const QString &name, const QString &title, QWidget *content)
{
    auto *dock = new QDockWidget(title, m_docks);
    dock->setObjectName(name);
    dock->setAllowedAreas(Qt::LeftDockWidgetArea | Qt::RightDockWidgetArea);
    dock->setWidget(content);
    // Docked, a title would be a box within a box; floating, the window needs one.
    auto *noTitle = new QWidget(dock);
    dock->setTitleBarWidget(noTitle);
    connect(dock, &QDockWidget::topLevelChanged, dock,
            [dock, noTitle](bool floating) { dock->setTitleBarWidget(floating ? nullptr : noTitle); });
    m_docks->addDockWidget(Qt::RightDockWidgetArea, dock, Qt::Horizontal);
    return dock;
}

void MainWindow::connectChat()
{
    connect(m_conversations, &ConversationList::newRequested, this, &MainWindow::newRequested);
    connect(m_chat, &ChatView::regenerateRequested, this, &MainWindow::regenerateRequested);
    connect(m_chat, &ChatView::editRequested, this, &MainWindow::editQuestion);
    connect(m_chat, &ChatView::linkActivated, this, [this](const QUrl &url) {
        if (confirmOpenLink(this, url))
            QDesktopServices::openUrl(url);
    });
    connect(m_composer, &Composer::stopRequested, this, &MainWindow::stopRequested);
    m_chat->setAccessibleName(tr("Conversation"));
}

void MainWindow::showError(const QString &text)
{
    m_error->show(text);
}

QString MainWindow::shownError() const
{
    return m_error->text();
}

void MainWindow::setStorageProblem(const QString &text)
{
    m_storageProblem->showWhile(text);
}

QString MainWindow::storageProblem() const
{
    return m_storageProblem->text();
}

void MainWindow::setClockProblem(const QString &text)
{
    m_clockProblem->showWhile(text);
}

QString MainWindow::clockProblem() const
{
    return m_clockProblem->text();
}

void MainWindow::showNotice(const QString &text)
{
    m_notice->show(text);
}

QString MainWindow::shownNotice() const
{
    return m_notice->text();
}

void MainWindow::raiseToUser()
{
    setWindowState(windowState() & ~Qt::WindowMinimized);
    show();
    raise();
    activateWindow();
    // Where the system does not let a window come to the front by itself, its entry in the task bar asks.
    QApplication::alert(this);
}

void MainWindow::setReplying(bool replying)
{
    m_replying = replying;
    allowStopping();
    m_composer->setRunning(replying);
}

void MainWindow::setLoading(const QString &title, qint64 done, qint64 total)
{
    m_top->setLoading(title, done, total);
    m_loading = true;
    allowStopping();
}

void MainWindow::setModel(const ModelInfo &model, const QString &title)
{
    m_top->setModel(model, title);
    m_loading = false;
    allowStopping();
}

void MainWindow::setNoModel()
{
    m_top->setNoModel();
    m_loading = false;
    allowStopping();
}

void MainWindow::allowStopping()
{
    m_stop->setEnabled(m_replying || m_loading);
}

void MainWindow::setConversationTitle(const QString &title)
{
    setWindowTitle(title.isEmpty() ? QStringLiteral("Bathyscope") : tr("%1 – Bathyscope").arg(title));
}

QByteArray MainWindow::saveLayout() const
{
    QByteArray layout;
    QDataStream stream(&layout, QIODevice::WriteOnly);
    stream.setVersion(QDataStream::Qt_6_2);
    stream << layoutMagic << layoutVersion << saveGeometry() << m_docks->saveState(layoutVersion)
           << m_columns->saveState() << m_conversationsWanted;
    return layout;
}

void MainWindow::restoreLayout(const QByteArray &layout)
{
    QDataStream stream(layout);
    stream.setVersion(QDataStream::Qt_6_2);
    quint32 magic = 0;
    quint32 version = 0;
    QByteArray geometry;
    QByteArray docks;
    QByteArray columns;
    bool conversationsWanted = true;
    stream >> magic >> version >> geometry >> docks >> columns >> conversationsWanted;
    if (stream.status() != QDataStream::Ok || magic != layoutMagic || version != layoutVersion)
        return;
    restoreGeometry(geometry);
    m_laidOut = m_docks->restoreState(docks, layoutVersion);
    m_columns->restoreState(columns);
    m_conversationsWanted = conversationsWanted;
    m_conversations->setVisible(m_conversationsWanted && m_wide);
}

void MainWindow::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    if (m_laidOut)
        return;
    m_laidOut = true;
    m_docks->resizeDocks({m_samplingDock, m_inspectorDock}, {samplingWidth, inspectorWidth}, Qt::Horizontal);
    m_composer->setFocus(Qt::OtherFocusReason);
}

void MainWindow::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    adaptColumns();
}

/// Hides the conversations when the window gets too narrow for three columns, and brings them back.
void MainWindow::adaptColumns()
{
    if (width() < roomForFour && m_toggleInspector->isChecked() && m_toggleSampling->isChecked())
        adaptPanels(m_toggleInspector);
    const bool wide = width() >= roomForThree;
    if (wide == m_wide)
        return;
    m_wide = wide;
    m_conversations->setVisible(wide && m_conversationsWanted);
    m_toggleConversations->setChecked(m_conversations->isVisibleTo(this));
}

/// The panels beside the chat that have room: `wanted` was just shown, the other one may have to go.
void MainWindow::adaptPanels(QAction *wanted)
{
    QAction *other = wanted == m_toggleInspector ? m_toggleSampling : m_toggleInspector;
    if (wanted->isChecked() && width() < roomForFour && !m_inspectorDock->isFloating())
        other->setChecked(false);
    m_docks->resizeDocks({m_samplingDock, m_inspectorDock}, {samplingWidth, inspectorWidth}, Qt::Horizontal);
}

void MainWindow::closeEvent(QCloseEvent *event)
{
    if (!storageProblem().isEmpty() && !confirmLoss(this)) {
        event->ignore();
        return;
    }
    emit closing();
    QWidget::closeEvent(event);
}

} // namespace bathyscope::ui
