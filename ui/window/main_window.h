// SPDX-License-Identifier: GPL-3.0-or-later
//
// The window: three columns between two thin bars, and the commands. It knows no engine and no history.
#pragma once

#include "ui/conversations/conversation_list.h"
#include "ui/model/chat_model.h"
#include "ui/model/selection.h"
#include "ui/window/bottom_bar.h"
#include "ui/window/top_bar.h"

#include <QWidget>

class QDockWidget;
class QMainWindow;
class QMenu;
class QSplitter;

namespace bathyscope::ui {

class Banner;
class ChatView;
class Composer;
class Inspector;
class SamplingPanel;

class MainWindow : public QWidget {
    Q_OBJECT

public:
    /// The models must outlive the window.
    MainWindow(ChatModel *chat, Selection *selection, ConversationModel *conversations,
               QWidget *parent = nullptr);

    [[nodiscard]] TopBar *topBar() const { return m_top; }
    [[nodiscard]] BottomBar *bottomBar() const { return m_bottom; }
    [[nodiscard]] ConversationList *conversations() const { return m_conversations; }
    [[nodiscard]] ChatView *chat() const { return m_chat; }
    [[nodiscard]] Composer *composer() const { return m_composer; }
    [[nodiscard]] Inspector *inspector() const { return m_inspector; }
    [[nodiscard]] SamplingPanel *sampling() const { return m_sampling; }

    /// Shows an error that is not about one message; it stays until the user dismisses it.
    void showError(const QString &text);
    [[nodiscard]] QString shownError() const; ///< empty: none
    /// Shows that the history cannot be written, until it is called with an empty text. Meanwhile closing the
    /// window asks first.
    void setStorageProblem(const QString &text);
    [[nodiscard]] QString storageProblem() const; ///< empty: none
    /// Shows that times are not to be trusted, until it is called with an empty text.
    void setClockProblem(const QString &text);
    [[nodiscard]] QString clockProblem() const; ///< empty: none
    /// Tells of something that went well; it stays until the user dismisses it.
    void showNotice(const QString &text);
    [[nodiscard]] QString shownNotice() const; ///< empty: none
    /// Brings the window to the front: another start of the program asks for it.
    void raiseToUser();
    void setReplying(bool replying);
    /// A model is being loaded, and how far it is in bytes; until setModel() or setNoModel().
    void setLoading(const QString &title, qint64 done = 0, qint64 total = 0);
    void setModel(const ModelInfo &model, const QString &title);
    void setNoModel();
    /// Of the open conversation; empty: a new one.
    void setConversationTitle(const QString &title);

    [[nodiscard]] QByteArray saveLayout() const;
    /// Anything but what saveLayout() gave is ignored.
    void restoreLayout(const QByteArray &layout);

signals:
    void newRequested();
    void openModelRequested(const QString &directory);
    void stopRequested();
    void cancelLoadRequested();
    void regenerateRequested(bathyscope::ui::MessageId reply);
    void settingsRequested();
    void traceRequested(const QString &file);
    void importRequested();
    /// Of the open conversation.
    void exportRequested();
    void exportAllRequested();
    void restoreRequested();
    void deviceRequested();
    void libraryRequested();
    void closing();

public slots:
    /// Asks for a model's file, which may be any of its directory.
    void pickModel();

protected:
    void resizeEvent(QResizeEvent *event) override;
    void showEvent(QShowEvent *event) override;
    void closeEvent(QCloseEvent *event) override;

private:
    // main_window.cpp
    void buildColumns();
    QDockWidget *addDock(const QString &name, const QString &title, QWidget *content);
    void connectChat();
    void adaptColumns();
    void allowStopping();
    void adaptPanels(QAction *wanted);
    // main_window_commands.cpp
    void buildCommands();
    void buildViewCommands();
    void buildReplyCommands();
    void buildSelectionCommands();
    void buildExportCommands();
    void buildHistoryCommands();
    void fillTopBar();
    QAction *addCommand(const QString &text, const QKeySequence &keys);
    QAction *addToggle(const QString &text, const QKeySequence &keys, QWidget *part);
    void copyLastAnswer();
    [[nodiscard]] const ChatMessage *lastReply() const;
    [[nodiscard]] const ChatMessage *lastQuestion() const;
    void editQuestion(MessageId question);

    ChatModel *m_messages;
    TopBar *m_top;
    Banner *m_storageProblem;
    Banner *m_clockProblem;
    Banner *m_error;
    Banner *m_notice;
    QMainWindow *m_docks; ///< holds the columns; a plain child widget
    BottomBar *m_bottom;
    QSplitter *m_columns;
    ConversationList *m_conversations;
    ChatView *m_chat;
    Composer *m_composer;
    Inspector *m_inspector;
    Selection *m_selection;
    SamplingPanel *m_sampling;
    QDockWidget *m_inspectorDock = nullptr;
    QDockWidget *m_samplingDock = nullptr;

    QList<QAction *> m_commands; ///< in the order of the list of shortcuts
    QAction *m_new = nullptr;
    QAction *m_library = nullptr;
    QAction *m_openModel = nullptr;
    QAction *m_stop = nullptr;
    QAction *m_toggleInspector = nullptr;
    QAction *m_toggleSampling = nullptr;
    QAction *m_toggleConversations = nullptr;
    QMenu *m_history = nullptr;
    QAction *m_device = nullptr;
    QAction *m_settings = nullptr;
    QAction *m_shortcuts = nullptr;
    QAction *m_about = nullptr;
    bool m_replying = false;
    bool m_loading = false;
    bool m_wide = true; ///< there is room for all columns
    bool m_conversationsWanted = true; ///< when there is room
    bool m_laidOut = false;
};

} // namespace bathyscope::ui
