// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/plain_table.h"

#include "ui/export/table_text.h"
#include "ui/theme/theme.h"

#include <QAction>
#include <QClipboard>
#include <QGuiApplication>
#include <QHeaderView>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int lineHeight = 22;
constexpr int headerHeight = 26;

} // namespace

PlainTable::PlainTable(QAbstractItemModel *model, const QString &name, int rows, QWidget *parent,
                       Widths widths)
    : QTableView(parent)
    , m_rows(rows)
    , m_policy(widths)
{
    setModel(model);
    setAccessibleName(name);
    setSelectionBehavior(SelectRows);
    setSelectionMode(SingleSelection);
    setShowGrid(false);
    setTabKeyNavigation(false);
    setEditTriggers(NoEditTriggers);
    setWordWrap(false);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    QFont figures = theme::numberFont();
    figures.setPixelSize(13);
    setFont(figures);
    verticalHeader()->hide();
    verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    verticalHeader()->setMinimumSectionSize(lineHeight);
    verticalHeader()->setDefaultSectionSize(lineHeight);
    horizontalHeader()->setFixedHeight(headerHeight);
    horizontalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    horizontalHeader()->setSectionsClickable(false);
    horizontalHeader()->setHighlightSections(false);
    horizontalHeader()->setFont(theme::smallFont());
    auto *copy = new QAction(tr("Copy the table"), this);
    copy->setShortcut(QKeySequence::Copy);
    copy->setShortcutContext(Qt::WidgetShortcut);
    connect(copy, &QAction::triggered, this, &PlainTable::copyRows);
    addAction(copy);
    setContextMenuPolicy(Qt::ActionsContextMenu);
    connect(this, &QTableView::clicked, this,
            [this](const QModelIndex &index) { emit rowPicked(index.row()); });
    connect(model, &QAbstractItemModel::modelReset, this, &PlainTable::fitColumns);
    connect(model, &QAbstractItemModel::dataChanged, this, &PlainTable::fitColumns);
}

QSize PlainTable::sizeHint() const
{
    return {436, headerHeight + m_rows * lineHeight + 2};
}

void PlainTable::resizeEvent(QResizeEvent *event)
{
    QTableView::resizeEvent(event);
    fitColumns();
}

/// They only grow, so that they do not jump from token to token.
void PlainTable::fitColumns()
{
    if (m_policy == Widths::ByOwner)
        return;
    const int columns = model()->columnCount();
    m_widths.resize(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
        int &width = m_widths[static_cast<std::size_t>(column)];
        width = std::max({width, sizeHintForColumn(column), horizontalHeader()->sectionSizeHint(column)});
    }
    // Where there is no room for all, text gives way: numbers are read whole or not at all.
    const auto widthOf = [this](int column, int mostOfText) {
        const int width = m_widths[static_cast<std::size_t>(column)];
        const int side = model()->headerData(column, Qt::Horizontal, Qt::TextAlignmentRole).toInt();
        return (side & Qt::AlignRight) != 0 ? width : std::min(width, mostOfText);
    };
    const auto spare = [&](int mostOfText) {
        int left = viewport()->width();
        for (int column = 0; column < columns; ++column)
            left -= widthOf(column, mostOfText);
        return left;
    };
    int mostOfText = viewport()->width();
    while (mostOfText > 0 && spare(mostOfText) < 0)
        --mostOfText;
    const int share = std::max(spare(mostOfText), 0) / std::max(columns, 1);
    for (int column = 0; column < columns; ++column)
        setColumnWidth(column, widthOf(column, mostOfText) + share);
}

void PlainTable::copyRows()
{
    QGuiApplication::clipboard()->setText(toTsv(*model()));
}

void PlainTable::currentChanged(const QModelIndex &current, const QModelIndex &previous)
{
    QTableView::currentChanged(current, previous);
    if (current.isValid() && hasFocus())
        emit rowPicked(current.row());
}

} // namespace bathyscope::ui
