// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/history_dialogs.h"

#include "ui/window/format.h"

#include <QCoreApplication>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <array>

namespace bathyscope::ui {

namespace {

QString tr(const char *text)
{
    return QCoreApplication::translate("bathyscope::ui::HistoryDialogs", text);
}

struct Format {
    ExportFormat format;
    QString filter;
    QString suffix;
};

std::array<Format, 3> formats()
{
    return {
        {{ExportFormat::JsonLinesWithTraces, tr("JSON Lines with traces (*.jsonl)"), QStringLiteral("jsonl")},
         {ExportFormat::JsonLines, tr("JSON Lines, words only (*.jsonl)"), QStringLiteral("jsonl")},
         {ExportFormat::Markdown, tr("Markdown, for reading (*.md)"), QStringLiteral("md")}}};
}

constexpr int longestFileName = 60; // characters
constexpr int rowHeight = 32; // px
constexpr int fileRole = Qt::UserRole;

} // namespace

QString fileNameFrom(const QString &title)
{
    QString name;
    for (const QChar character : title.simplified().left(longestFileName)) {
        const bool plain = character.isLetterOrNumber() || character == QLatin1Char(' ')
            || character == QLatin1Char('-') || character == QLatin1Char('_');
        name += plain || character.isSurrogate() ? character : QLatin1Char('-');
    }
    name = name.simplified();
    return name.isEmpty() ? tr("conversation") : name;
}

std::optional<ExportChoice> pickExportFile(QWidget *parent, const QString &title)
{
    const auto all = formats();
    QStringList filters;
    for (const Format &format : all)
        filters << format.filter;
    QString picked = filters.front();
    QString file = QFileDialog::getSaveFileName(parent, tr("Export"),
                                                fileNameFrom(title) + QLatin1Char('.') + all.front().suffix,
                                                filters.join(QStringLiteral(";;")), &picked);
    if (file.isEmpty())
        return std::nullopt;
    const qsizetype index = std::max<qsizetype>(filters.indexOf(picked), 0);
    const Format &format = all[static_cast<std::size_t>(index)];
    if (QFileInfo(file).suffix().isEmpty())
        file += QLatin1Char('.') + format.suffix;
    return ExportChoice{file, format.format};
}

QString pickImportFile(QWidget *parent)
{
    return QFileDialog::getOpenFileName(parent, tr("Import conversations"), {},
                                        tr("Conversations (*.jsonl *.json)") + QStringLiteral(";;")
                                            + tr("All files (*)"));
}

RestoreDialog::RestoreDialog(const std::vector<BackupEntry> &backups, QWidget *parent)
    : QDialog(parent)
    , m_list(new QTreeWidget(this))
{
    setWindowTitle(tr("Restore from a backup"));
    auto *text = new QLabel(
        backups.empty() ? tr("There are no backups yet. One is made every day.")
                        : tr("All conversations become as they were in the backup. What is there now is "
                             "copied first and stands in this list from then on. Traces are not in "
                             "backups: those that are still there are kept."),
        this);
    text->setWordWrap(true);
    m_list->setHeaderLabels({tr("Backup"), tr("Size")});
    m_list->setRootIsDecorated(false);
    m_list->setAccessibleName(tr("Backups"));
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_list->header()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    for (const BackupEntry &backup : backups) {
        auto *item = new QTreeWidgetItem(m_list, {backup.name, formatBytes(backup.bytes)});
        item->setData(0, fileRole, backup.file);
        item->setSizeHint(0, {0, rowHeight});
        item->setTextAlignment(1, Qt::AlignRight | Qt::AlignVCenter);
    }
    m_list->setVisible(!backups.empty());
    auto *buttons = new QDialogButtonBox(QDialogButtonBox::Cancel, this);
    QPushButton *restore = buttons->addButton(tr("Restore"), QDialogButtonBox::AcceptRole);
    restore->setEnabled(false);
    connect(m_list, &QTreeWidget::itemSelectionChanged, restore,
            [this, restore] { restore->setEnabled(!chosenFile().isEmpty()); });
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    buttons->button(QDialogButtonBox::Cancel)->setDefault(true);
    m_list->setCurrentItem(m_list->topLevelItem(0));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(24, 24, 24, 16);
    layout->setSpacing(16);
    layout->addWidget(text);
    layout->addWidget(m_list, 1);
    layout->addWidget(buttons);
    resize(520, backups.empty() ? 0 : 400);
}

QString RestoreDialog::chosenFile() const
{
    const QList<QTreeWidgetItem *> selected = m_list->selectedItems();
    return selected.isEmpty() ? QString() : selected.front()->data(0, fileRole).toString();
}

} // namespace bathyscope::ui
