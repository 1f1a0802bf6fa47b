// SPDX-License-Identifier: GPL-3.0-or-later
//
// The commands of the window: every one is an action with a shortcut, so that all is reachable by keyboard.
#include "ui/window/main_window.h"

#include "ui/chat/chat_view.h"
#include "ui/chat/composer.h"
#include "ui/export/export_menu.h"
#include "ui/inspector/inspector.h"
#include "ui/panels/sampling_panel.h"
#include "ui/window/about_dialog.h"
#include "ui/window/dialogs.h"

#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDockWidget>
#include <QFileDialog>
#include <QMenu>

#include <tuple>

namespace bathyscope::ui {

QAction *MainWindow::addCommand(const QString &text, const QKeySequence &keys)
{
    auto *action = new QAction(text, this);
    action->setShortcut(keys);
    action->setToolTip(
        keys.isEmpty() ? text : QStringLiteral("%1 (%2)").arg(text, keys.toString(QKeySequence::NativeText)));
    addAction(action);
    m_commands << action;
    return action;
}

QAction *MainWindow::addToggle(const QString &text, const QKeySequence &keys, QWidget *part)
{
    QAction *action = addCommand(text, keys);
    action->setCheckable(true);
    action->setChecked(part->isVisibleTo(this));
    return action;
}

void MainWindow::buildCommands()
{
    m_new = addCommand(tr("New conversation"), QKeySequence::New);
    m_new->setIconText(tr("New")); // the short form for the bar
    connect(m_new, &QAction::triggered, this, &MainWindow::newRequested);
    connect(addCommand(tr("Search conversations"), QKeySequence::Find), &QAction::triggered, this, [this] {
        m_toggleConversations->setChecked(true);
        m_conversations->focusSearch();
    });
    connect(addCommand(tr("Write a message"), tr("Ctrl+L")), &QAction::triggered, this,
            [this] { m_composer->setFocus(Qt::ShortcutFocusReason); });
    buildReplyCommands();
    buildViewCommands();
    buildSelectionCommands();
    buildExportCommands();
    m_library = addCommand(tr("Models…"), tr("Ctrl+M"));
    connect(m_library, &QAction::triggered, this, &MainWindow::libraryRequested);
    m_openModel = addCommand(tr("Open a model’s file…"), QKeySequence::Open);
    connect(m_openModel, &QAction::triggered, this, &MainWindow::pickModel);
    m_device = addCommand(tr("Device and memory"), tr("Ctrl+D"));
    connect(m_device, &QAction::triggered, this, &MainWindow::deviceRequested);
    buildHistoryCommands();
    m_settings = addCommand(tr("Settings"), tr("Ctrl+,"));
    connect(m_settings, &QAction::triggered, this, &MainWindow::settingsRequested);
    m_shortcuts = addCommand(tr("Keyboard shortcuts"), QKeySequence(Qt::Key_F1));
    connect(m_shortcuts, &QAction::triggered, this, [this] { showShortcuts(this, m_commands); });
    m_about = addCommand(tr("About Bathyscope"), {});
    connect(m_about, &QAction::triggered, this,
            [this] { AboutDialog(AboutDialog::carriedLicences(), this).exec(); });
    connect(addCommand(tr("Quit"), tr("Ctrl+Q")), &QAction::triggered, this, &QWidget::close);
    fillTopBar();
}

void MainWindow::buildReplyCommands()
{
    m_stop = addCommand(tr("Stop the answer, or the loading of a model"), QKeySequence(Qt::Key_Escape));
    connect(m_stop, &QAction::triggered, this, &MainWindow::stopRequested);
    connect(m_stop, &QAction::triggered, this, &MainWindow::cancelLoadRequested);
    connect(addCommand(tr("Answer again"), tr("Ctrl+R")), &QAction::triggered, this, [this] {
        if (const ChatMessage *reply = lastReply())
            emit regenerateRequested(reply->id);
    });
    connect(addCommand(tr("Edit the last question"), tr("Ctrl+E")), &QAction::triggered, this, [this] {
        if (const ChatMessage *question = lastQuestion())
            editQuestion(question->id);
    });
    connect(addCommand(tr("Copy the last answer"), tr("Ctrl+Shift+C")), &QAction::triggered, this,
            &MainWindow::copyLastAnswer);
    connect(addCommand(tr("Open or close the last reasoning"), tr("Ctrl+T")), &QAction::triggered, this,
            [this] {
                if (const ChatMessage *reply = lastReply())
                    m_chat->setReasoningOpen(reply->id, !m_chat->isReasoningOpen(reply->id));
            });
    connect(addCommand(tr("Last answer as the model wrote it"), tr("Ctrl+U")), &QAction::triggered, this,
            [this] {
                if (const ChatMessage *reply = lastReply())
                    m_chat->setRaw(reply->id, !m_chat->isRaw(reply->id));
            });
}

void MainWindow::buildViewCommands()
{
    m_toggleConversations = addToggle(tr("Conversations"), tr("Ctrl+B"), m_conversations);
    connect(m_toggleConversations, &QAction::toggled, this, [this](bool shown) {
        m_conversations->setVisible(shown);
        if (m_wide)
            m_conversationsWanted = shown;
    });
    m_toggleInspector = addToggle(tr("Inspector"), tr("Ctrl+I"), m_inspectorDock);
    m_toggleSampling = addToggle(tr("Sampling"), tr("Ctrl+P"), m_samplingDock);
    for (const auto &[toggle, dock] :
         {std::pair(m_toggleInspector, m_inspectorDock), std::pair(m_toggleSampling, m_samplingDock)}) {
        connect(toggle, &QAction::toggled, dock, &QWidget::setVisible);
        // Not visibilityChanged: it also comes when the whole window is minimised.
        connect(dock->toggleViewAction(), &QAction::toggled, toggle, &QAction::setChecked);
    }
    for (QAction *toggle : {m_toggleInspector, m_toggleSampling})
        connect(toggle, &QAction::toggled, this, [this, toggle](bool shown) {
            if (shown)
                adaptPanels(toggle);
        });
    connect(addCommand(tr("Inspector in a window of its own"), tr("Ctrl+Shift+I")), &QAction::triggered, this,
            [this] {
                m_toggleInspector->setChecked(true);
                m_inspectorDock->setFloating(!m_inspectorDock->isFloating());
            });
}

void MainWindow::buildSelectionCommands()
{
    connect(addCommand(tr("Previous selection"), QKeySequence::Undo), &QAction::triggered, m_selection,
            &Selection::undo);
    connect(addCommand(tr("Next selection"), QKeySequence::Redo), &QAction::triggered, m_selection,
            &Selection::redo);
    // The measure last chosen comes back.
    connect(addCommand(tr("Colour the text by what the model expected"), tr("Ctrl+K")), &QAction::triggered,
            this, [this, last = ColorBy::Surprisal]() mutable {
                const ColorBy now = m_chat->colorBy();
                m_chat->setColorBy(now == ColorBy::Nothing ? last : ColorBy::Nothing);
                last = now == ColorBy::Nothing ? last : now;
            });
    connect(addCommand(tr("Colour the text by the next measure"), tr("Ctrl+Shift+K")), &QAction::triggered,
            m_chat, &ChatView::nextColorBy);
    for (const auto &[text, keys, step] :
         {std::tuple(tr("Previous version of the answer"), tr("Ctrl+PgUp"), -1),
          std::tuple(tr("Next version of the answer"), tr("Ctrl+PgDown"), 1)})
        connect(addCommand(text, keys), &QAction::triggered, this, [this, by = step] {
            const auto &selected = m_selection->token();
            const ChatMessage *reply = selected ? m_messages->find(selected->message) : lastReply();
            if (reply != nullptr)
                emit m_chat->siblingRequested(reply->id, by);
        });
    connect(addCommand(tr("Pin the token, to compare others with it"), tr("Alt+P")), &QAction::triggered,
            m_inspector, &Inspector::togglePin);
    const QStringList pages = m_inspector->pageTitles();
    for (int page = 0; page < pages.size(); ++page)
        connect(addCommand(tr("Inspector: %1").arg(pages[page]), tr("Ctrl+%1").arg(page + 1)),
                &QAction::triggered, this, [this, page] {
                    m_toggleInspector->setChecked(true);
                    m_inspector->setCurrentPage(page);
                });
}

void MainWindow::buildExportCommands()
{
    auto *exports = new ExportMenu(m_inspector);
    m_inspector->setExportMenu(exports->menu());
    addActions(exports->actions());
    m_commands << exports->actions();
    connect(exports, &ExportMenu::traceRequested, this, &MainWindow::traceRequested);
    connect(exports, &ExportMenu::failed, this, &MainWindow::showError);
}

void MainWindow::buildHistoryCommands()
{
    m_history = new QMenu(this);
    const auto add = [this](const QString &text, const QKeySequence &keys, void (MainWindow::*signal)()) {
        QAction *action = addCommand(text, keys);
        connect(action, &QAction::triggered, this, signal);
        m_history->addAction(action);
    };
    add(tr("Export this conversation…"), tr("Ctrl+S"), &MainWindow::exportRequested);
    add(tr("Export all conversations…"), {}, &MainWindow::exportAllRequested);
    add(tr("Import conversations…"), tr("Ctrl+Shift+O"), &MainWindow::importRequested);
    m_history->addSeparator();
    add(tr("Restore from a backup…"), {}, &MainWindow::restoreRequested);
}

void MainWindow::fillTopBar()
{
    m_top->setOpenCommands({m_library, m_openModel});
    m_top->setDeviceCommand(m_device);
    m_top->addCommand(m_new);
    m_top->addCommand(m_toggleSampling);
    m_top->addCommand(m_toggleInspector);
    m_top->addMenu(tr("History"), m_history);
    m_top->addCommand(m_settings);
    auto *help = new QMenu(this);
    help->addAction(m_shortcuts);
    help->addAction(m_about);
    m_top->addMenu(tr("Help"), help);
    connect(m_top, &TopBar::cancelRequested, this, &MainWindow::cancelLoadRequested);
    connect(m_top, &TopBar::modelPicked, this, &MainWindow::openModelRequested);
}

void MainWindow::pickModel()
{
    const QString file = pickModelFile(this);
    if (!file.isEmpty())
        emit openModelRequested(modelOfFile(file));
}

const ChatMessage *MainWindow::lastReply() const
{
    for (int row = m_messages->rowCount() - 1; row >= 0; --row) {
        if (m_messages->message(row).role == Role::Assistant)
            return &m_messages->message(row);
    }
    return nullptr;
}

const ChatMessage *MainWindow::lastQuestion() const
{
    for (int row = m_messages->rowCount() - 1; row >= 0; --row) {
        if (m_messages->message(row).role == Role::User)
            return &m_messages->message(row);
    }
    return nullptr;
}

void MainWindow::copyLastAnswer()
{
    if (const ChatMessage *reply = lastReply())
        QApplication::clipboard()->setText(QString::fromStdString(reply->answer.utf8).trimmed());
}

void MainWindow::editQuestion(MessageId question)
{
    const ChatMessage *message = m_messages->find(question);
    if (message != nullptr && message->role == Role::User)
        m_composer->beginEdit(question, QString::fromStdString(message->text));
}

} // namespace bathyscope::ui
