// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/conversations/conversation_model.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QListView;
class QTimer;

namespace bathyscope::ui {

/// The left column: a search field and the conversations. A click or the return key opens one, F2 renames it,
/// Delete removes it after a question.
class ConversationList : public QWidget {
    Q_OBJECT

public:
    explicit ConversationList(ConversationModel *model, QWidget *parent = nullptr);

    /// Marks the open conversation; 0: a new one.
    void setCurrent(ConversationId id);
    void focusSearch();

signals:
    void openRequested(bathyscope::ui::ConversationId id);
    void newRequested();
    void pinRequested(bathyscope::ui::ConversationId id, bool pinned);
    /// The user has confirmed it.
    void removeRequested(bathyscope::ui::ConversationId id);
    /// Empty: the whole list again. Sent 150 ms after the last key.
    void searchRequested(const QString &text);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    void markCurrent();
    void updateEmptyHint();
    void open(const QModelIndex &index);
    void showMenu(const QPoint &position);
    void confirmRemove(const QModelIndex &index);
    bool handleSearchKey(int key);
    bool handleListKey(int key);

    ConversationModel *m_model;
    QLineEdit *m_search;
    QListView *m_view;
    QLabel *m_empty;
    QTimer *m_searchDelay;
    ConversationId m_current = 0;
};

} // namespace bathyscope::ui
