// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/conversations/conversation_model.h"

#include <QWidget>

class QCheckBox;
class QLabel;
class QLineEdit;
class QListView;
class QMenu;
class QTimer;

namespace bathyscope::ui {

/// The left column: a search field and the conversations. A click or the return key opens one, or closes a
/// folder; F2 renames, Delete removes after a question.
class ConversationList : public QWidget {
    Q_OBJECT

public:
    explicit ConversationList(ConversationModel *model, QWidget *parent = nullptr);

    /// Marks the open conversation; 0: a new one.
    void setCurrent(ConversationId id);
    void focusSearch();
    [[nodiscard]] QString titleOf(ConversationId id) const { return m_model->titleOf(id); }

signals:
    /// `message`: the one that a search has found; 0: none.
    void openRequested(bathyscope::ui::ConversationId id, qint64 message);
    void newRequested();
    void pinRequested(bathyscope::ui::ConversationId id, bool pinned);
    /// The user has confirmed it.
    void removeRequested(bathyscope::ui::ConversationId id);
    void exportRequested(bathyscope::ui::ConversationId id);
    /// Empty: the whole list again. Sent 150 ms after the last key.
    void searchRequested(const QString &text, bool reasoning);
    /// `folder` 0: into none.
    void moveRequested(bathyscope::ui::ConversationId id, bathyscope::ui::FolderId folder);
    /// `id`: to be moved into it; 0: none.
    void newFolderRequested(const QString &name, bathyscope::ui::ConversationId id);
    /// The user has confirmed it; its conversations stay.
    void removeFolderRequested(bathyscope::ui::FolderId id);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void markCurrent();
    void updateEmptyHint();
    void open(const QModelIndex &index);
    void toggleFolder(const QModelIndex &index);
    void showMenu(const QPoint &position);
    void fillMenu(QMenu &menu, const QModelIndex &index);
    void fillFolderMenu(QMenu &menu, const QModelIndex &index);
    void fillMoveMenu(QMenu &menu, const QModelIndex &index);
    void askForFolder(ConversationId id);
    void confirmRemove(const QModelIndex &index);
    [[nodiscard]] bool confirm(const QString &title, const QString &question);
    bool handleSearchKey(int key);
    bool handleListKey(int key);

    ConversationModel *m_model;
    QLineEdit *m_search;
    QCheckBox *m_reasoning; ///< shown while something is searched for
    QListView *m_view;
    QLabel *m_empty;
    QTimer *m_searchDelay;
    ConversationId m_current = 0;
};

} // namespace bathyscope::ui
