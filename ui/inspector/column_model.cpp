// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/column_model.h"

namespace bathyscope::ui {

ColumnModel::ColumnModel(std::vector<Column> columns, QObject *parent)
    : QAbstractTableModel(parent)
    , m_columns(std::move(columns))
{
}

int ColumnModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_columns.size());
}

QVariant ColumnModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= columnCount())
        return {};
    const Column &column = m_columns[static_cast<std::size_t>(section)];
    switch (role) {
    case Qt::DisplayRole:
        return column.title;
    case Qt::ToolTipRole:
        return column.explanation.isEmpty() ? QVariant() : QVariant(column.explanation);
    case Qt::TextAlignmentRole:
        return alignmentOf(section);
    default:
        return {};
    }
}

void ColumnModel::setColumn(int section, const Column &column)
{
    m_columns[static_cast<std::size_t>(section)] = column;
    emit headerDataChanged(Qt::Horizontal, section, section);
}

QVariant ColumnModel::alignmentOf(int column) const
{
    return QVariant(m_columns[static_cast<std::size_t>(column)].side | Qt::AlignVCenter);
}

} // namespace bathyscope::ui
