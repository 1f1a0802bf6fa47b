// SPDX-License-Identifier: GPL-3.0-or-later
//
// What leaves the inspector: pictures of its pages, their tables, the trace of the conversation.
#pragma once

#include <QObject>

class QAction;
class QMenu;
class QWidget;

namespace bathyscope::ui {

class Inspector;

class ExportMenu : public QObject {
    Q_OBJECT

public:
    /// `inspector` must outlive the menu.
    explicit ExportMenu(Inspector *inspector);

    [[nodiscard]] QMenu *menu() const { return m_menu; }
    /// All commands, for shortcuts and the list of them.
    [[nodiscard]] QList<QAction *> actions() const;

    // What the commands do once a file was picked. Each returns what went wrong; empty: nothing.
    QString writePictureOf(const QString &file);
    QString writeTable(const QString &file); ///< CSV
    void copyMarkdown();

signals:
    void traceRequested(const QString &file); ///< .jsonl or .safetensors
    void failed(const QString &what);

private:
    void add(const QString &text, const QString &keys, void (ExportMenu::*command)());
    void askForPicture();
    void askForTable();
    void askForTrace();
    void report(const QString &file, const QString &problem);
    [[nodiscard]] QString pick(const QString &title, const QString &filter);

    Inspector *m_inspector;
    QMenu *m_menu;
};

} // namespace bathyscope::ui
