// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/local_models_page.h"

#include "ui/inspector/plain_table.h"
#include "ui/theme/theme.h"
#include "ui/window/format.h"

#include <QDir>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QProgressBar>
#include <QPushButton>

namespace bathyscope::ui {

namespace {

constexpr int rowHeight = 28;
constexpr int leastRows = 8;

QLabel *makeLabel(const char *role, QWidget *parent)
{
    auto *label = new QLabel(parent);
    label->setProperty("role", role);
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    return label;
}

} // namespace

LocalModelsPage::LocalModelsPage(QWidget *parent)
    : QWidget(parent)
    , m_search(new QLineEdit(this))
    , m_folders(new QMenu(this))
    , m_empty(new QLabel(this))
{
    m_shown.setSourceModel(&m_model);
    m_shown.setSortRole(LibraryModel::SortRole);
    m_shown.setSortCaseSensitivity(Qt::CaseInsensitive);
    m_shown.setFilterCaseSensitivity(Qt::CaseInsensitive);
    m_shown.setFilterKeyColumn(-1);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 12, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(buildHead());
    buildTable();
    layout->addWidget(m_table, 1);
    layout->addWidget(m_empty, 1);
    layout->addWidget(buildTask());
    layout->addWidget(buildDetails());
    setFolders({});
    showCurrent();
    showCount();
}

QWidget *LocalModelsPage::buildHead()
{
    auto *head = new QWidget(this);
    auto *row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    m_search->setPlaceholderText(tr("Search by name, architecture or type"));
    m_search->setAccessibleName(tr("Search models"));
    m_search->setClearButtonEnabled(true);
    connect(m_search, &QLineEdit::textChanged, this, [this](const QString &text) {
        m_shown.setFilterFixedString(text.trimmed());
        if (!m_table->currentIndex().isValid() && m_shown.rowCount() > 0)
            m_table->selectRow(0);
        showCount();
    });
    connect(m_search, &QLineEdit::returnPressed, this, &LocalModelsPage::open);
    auto *folders = new QPushButton(tr("Folders ▾"), head);
    folders->setMenu(m_folders);
    auto *file = new QPushButton(tr("Open file…"), head);
    connect(file, &QPushButton::clicked, this, &LocalModelsPage::openFileRequested);
    for (QPushButton *button : {folders, file})
        button->setAutoDefault(false);
    row->addWidget(m_search, 1);
    row->addWidget(folders);
    row->addWidget(file);
    return head;
}

void LocalModelsPage::buildTable()
{
    m_table =
        new PlainTable(&m_shown, tr("Models on this machine"), leastRows, this, PlainTable::Widths::ByOwner);
    m_table->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
    m_table->verticalHeader()->setDefaultSectionSize(rowHeight);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    m_table->horizontalHeader()->setSectionsClickable(true);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(LibraryModel::NameColumn, Qt::AscendingOrder);
    connect(m_table, &QTableView::activated, this, &LocalModelsPage::open);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
            &LocalModelsPage::showCurrent);
    connect(&m_model, &QAbstractItemModel::dataChanged, this, &LocalModelsPage::showCurrent);
    m_empty->setAlignment(Qt::AlignCenter);
    m_empty->setProperty("role", "secondary");
    m_empty->setWordWrap(true);
}

QWidget *LocalModelsPage::buildTask()
{
    m_task = new QWidget(this);
    m_taskText = new QLabel(m_task);
    m_taskDone = new QProgressBar(m_task);
    m_taskDone->setAccessibleName(tr("Progress"));
    auto *cancel = new QPushButton(tr("Cancel"), m_task);
    cancel->setAutoDefault(false);
    connect(cancel, &QPushButton::clicked, this, &LocalModelsPage::cancelTaskRequested);
    auto *row = new QHBoxLayout(m_task);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    row->addWidget(m_taskText);
    row->addWidget(m_taskDone, 1);
    row->addWidget(cancel);
    m_task->hide();
    return m_task;
}

void LocalModelsPage::setTask(const QString &text, int percent)
{
    m_task->setVisible(!text.isEmpty());
    m_taskText->setText(text);
    m_taskDone->setValue(percent);
}

QWidget *LocalModelsPage::buildDetails()
{
    auto *details = new QWidget(this);
    m_title = makeLabel("heading", details);
    m_verdict = makeLabel("text", details);
    m_place = makeLabel("secondary", details);
    m_count = new QLabel(details);
    m_count->setProperty("role", "secondary");
    m_convert = new QPushButton(tr("Convert to FP8…"), details);
    m_convert->setToolTip(tr("Writes a second copy with the projections in FP8 blocks, half as large"));
    m_convert->setAutoDefault(false);
    m_open = new QPushButton(tr("Open"), details);
    m_open->setProperty("primary", true);
    m_open->setAutoDefault(false); // Enter in the table opens, too, and would do it twice
    connect(m_open, &QPushButton::clicked, this, &LocalModelsPage::open);
    connect(m_convert, &QPushButton::clicked, this, [this] {
        if (const LibraryEntry *entry = current())
            emit convertRequested(entry->path, entry->title);
    });
    auto *buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    buttons->addWidget(m_count, 1);
    buttons->addWidget(m_convert);
    buttons->addWidget(m_open);
    auto *layout = new QVBoxLayout(details);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(4);
    layout->addWidget(m_title);
    layout->addWidget(m_verdict);
    layout->addWidget(m_place);
    layout->addSpacing(8);
    layout->addLayout(buttons);
    return details;
}

void LocalModelsPage::setEntries(std::vector<LibraryEntry> entries)
{
    const LibraryEntry *before = current();
    const QString path = before != nullptr ? before->path : QString();
    m_model.setEntries(std::move(entries));
    select(path);
    showCount();
}

void LocalModelsPage::select(const QString &path)
{
    const QModelIndex found = m_shown.mapFromSource(m_model.index(m_model.rowOf(path), 0));
    if (found.isValid())
        m_table->setCurrentIndex(found);
    else if (m_shown.rowCount() > 0)
        m_table->selectRow(0);
    showCurrent();
}

void LocalModelsPage::setSearching(bool searching)
{
    m_searching = searching;
    showCount();
}

void LocalModelsPage::setFolders(const QStringList &folders)
{
    m_folders->clear();
    m_folders->addAction(tr("Add a folder…"), this, [this] {
        const QString folder = QFileDialog::getExistingDirectory(this, tr("Add a folder with models"));
        if (!folder.isEmpty())
            emit addFolderRequested(folder);
    });
    m_folders->addAction(tr("Look again"), this, &LocalModelsPage::refreshRequested);
    if (folders.isEmpty())
        return;
    m_folders->addSeparator();
    for (const QString &folder : folders)
        m_folders->addAction(tr("Forget %1").arg(QDir::toNativeSeparators(folder)), this,
                             [this, folder] { emit removeFolderRequested(folder); });
}

const LibraryEntry *LocalModelsPage::current() const
{
    const QModelIndex source = m_shown.mapToSource(m_table->currentIndex());
    return source.isValid() ? &m_model.entry(source.row()) : nullptr;
}

void LocalModelsPage::open()
{
    const LibraryEntry *entry = current();
    if (entry != nullptr && m_open->isEnabled())
        emit openRequested(entry->path, entry->title);
}

void LocalModelsPage::showCurrent()
{
    const LibraryEntry *entry = current();
    m_title->setText(entry != nullptr ? entry->title : QString());
    m_verdict->setText(entry == nullptr                               ? QString()
                           : entry->fit == LibraryEntry::Fit::Unknown ? tr("Being looked at.")
                                                                      : entry->verdict);
    m_place->setText(entry != nullptr
                         ? QStringLiteral("%1 · %2").arg(entry->place, QDir::toNativeSeparators(entry->path))
                         : QString());
    m_convert->setVisible(entry != nullptr && entry->convertible);
    m_open->setEnabled(entry != nullptr && entry->fit != LibraryEntry::Fit::CannotRun);
}

void LocalModelsPage::showCount()
{
    const int all = m_model.rowCount();
    const int shown = m_shown.rowCount();
    m_table->setVisible(shown > 0);
    m_empty->setVisible(shown == 0);
    m_empty->setText(m_searching && all == 0 ? tr("Looking for models…")
                         : all == 0 ? tr("There is no model here yet. Get one from the hub, add a folder "
                                         "that holds some, or open a file.")
                                    : tr("No model matches this search."));
    const QString count = shown != all ? tr("%1 of %2 models").arg(shown).arg(all)
        : all == 1                     ? tr("1 model")
                                       : tr("%1 models").arg(all);
    m_count->setText(m_searching && all > 0 ? tr("%1, still looking…").arg(count)
                         : all > 0          ? count
                                            : QString());
}

void LocalModelsPage::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    fitColumns();
}

void LocalModelsPage::fitColumns()
{
    const int widths[] = {0, 104, 72, 96, 92, 80, 80, 84, 140};
    int used = 0;
    for (int column = 1; column < LibraryModel::ColumnCount; ++column) {
        m_table->setColumnWidth(column, widths[column]);
        used += widths[column];
    }
    constexpr int scrollBar = 12;
    m_table->setColumnWidth(LibraryModel::NameColumn, std::max(160, width() - used - scrollBar));
}

} // namespace bathyscope::ui
