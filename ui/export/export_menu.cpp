// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/export/export_menu.h"

#include "ui/export/picture.h"
#include "ui/export/table_text.h"
#include "ui/inspector/inspector.h"
#include "ui/inspector/inspector_page.h"

#include <QAction>
#include <QClipboard>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMenu>
#include <QSaveFile>

namespace bathyscope::ui {

namespace {

/// "*.png" of "PNG pictures (*.png)", without the star.
QString endingOf(const QString &filter)
{
    const qsizetype star = filter.lastIndexOf(QLatin1Char('*'));
    return filter.mid(star + 1).chopped(1);
}

} // namespace

ExportMenu::ExportMenu(Inspector *inspector)
    : QObject(inspector)
    , m_inspector(inspector)
    , m_menu(new QMenu(inspector))
{
    add(tr("Picture of this page…"), QStringLiteral("Ctrl+Shift+S"), &ExportMenu::askForPicture);
    add(tr("Table of this page as CSV…"), {}, &ExportMenu::askForTable);
    add(tr("Copy the table as Markdown"), QStringLiteral("Ctrl+Shift+M"), &ExportMenu::copyMarkdown);
    m_menu->addSeparator();
    add(tr("Trace of the conversation…"), {}, &ExportMenu::askForTrace);
    connect(m_menu, &QMenu::aboutToShow, this, [this] {
        const bool hasTable = m_inspector->page()->table() != nullptr;
        m_menu->actions()[1]->setEnabled(hasTable);
        m_menu->actions()[2]->setEnabled(hasTable);
    });
    connect(m_menu, &QMenu::aboutToHide, this, [this] {
        for (QAction *action : actions())
            action->setEnabled(true); // for its shortcut
    });
}

void ExportMenu::add(const QString &text, const QString &keys, void (ExportMenu::*command)())
{
    QAction *action = m_menu->addAction(text);
    action->setShortcut(QKeySequence(keys));
    connect(action, &QAction::triggered, this, command);
}

QList<QAction *> ExportMenu::actions() const
{
    QList<QAction *> commands;
    for (QAction *action : m_menu->actions())
        if (!action->isSeparator())
            commands << action;
    return commands;
}

QString ExportMenu::pick(const QString &title, const QString &filter)
{
    QString chosen;
    QString file = QFileDialog::getSaveFileName(m_inspector, title, {}, filter, &chosen);
    if (!file.isEmpty() && QFileInfo(file).suffix().isEmpty())
        file += endingOf(chosen);
    return file;
}

void ExportMenu::report(const QString &file, const QString &problem)
{
    if (!problem.isEmpty())
        emit failed(tr("%1 could not be written: %2").arg(file, problem));
}

QString ExportMenu::writePictureOf(const QString &file)
{
    return writePicture(*m_inspector->page(), file);
}

QString ExportMenu::writeTable(const QString &file)
{
    const QAbstractItemModel *table = m_inspector->page()->table();
    if (table == nullptr)
        return tr("this page has no table");
    QSaveFile output(file);
    if (!output.open(QIODevice::WriteOnly))
        return output.errorString();
    output.write(toCsv(*table).toUtf8());
    return output.commit() ? QString() : output.errorString();
}

void ExportMenu::copyMarkdown()
{
    if (const QAbstractItemModel *table = m_inspector->page()->table())
        QGuiApplication::clipboard()->setText(toMarkdown(*table));
}

void ExportMenu::askForPicture()
{
    const QString file = pick(tr("Picture of this page"), pictureFilter());
    if (!file.isEmpty())
        report(file, writePictureOf(file));
}

void ExportMenu::askForTable()
{
    const QString file = pick(tr("Table of this page"), tr("Comma-separated values (*.csv)"));
    if (!file.isEmpty())
        report(file, writeTable(file));
}

void ExportMenu::askForTrace()
{
    const QString file =
        pick(tr("Trace of the conversation"), tr("JSON Lines (*.jsonl);;Tensors (*.safetensors)"));
    if (!file.isEmpty())
        emit traceRequested(file);
}

} // namespace bathyscope::ui
