// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/library/library_model.h"

#include <QSortFilterProxyModel>
#include <QWidget>

class QLabel;
class QLineEdit;
class QMenu;
class QProgressBar;
class QPushButton;

namespace bathyscope::ui {

class PlainTable;

/// The models on this machine: searched, ordered, opened.
class LocalModelsPage : public QWidget {
    Q_OBJECT

public:
    explicit LocalModelsPage(QWidget *parent = nullptr);

    [[nodiscard]] LibraryModel *model() { return &m_model; }
    /// The selection stays on its model.
    void setEntries(std::vector<LibraryEntry> entries);
    void setSearching(bool searching);
    void setFolders(const QStringList &folders); ///< that the user added
    void select(const QString &path);
    /// Something that takes a while, and how much of it is done; an empty text: nothing any more.
    void setTask(const QString &text, int percent);

signals:
    void openRequested(const QString &path, const QString &title);
    void openFileRequested();
    void addFolderRequested(const QString &folder);
    void removeFolderRequested(const QString &folder);
    void convertRequested(const QString &path, const QString &title);
    void refreshRequested();
    void cancelTaskRequested();

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    QWidget *buildHead();
    void buildTable();
    QWidget *buildDetails();
    QWidget *buildTask();
    [[nodiscard]] const LibraryEntry *current() const;
    void open();
    void showCurrent();
    void showCount();
    void fitColumns();

    LibraryModel m_model;
    QSortFilterProxyModel m_shown;
    QLineEdit *m_search;
    QMenu *m_folders;
    PlainTable *m_table;
    QLabel *m_empty;
    QLabel *m_title;
    QLabel *m_verdict;
    QLabel *m_place;
    QLabel *m_count;
    QPushButton *m_convert;
    QPushButton *m_open;
    QWidget *m_task;
    QLabel *m_taskText;
    QProgressBar *m_taskDone;
    bool m_searching = false;
};

} // namespace bathyscope::ui
