// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/library/library_entry.h"

#include <QAbstractTableModel>

#include <vector>

namespace bathyscope::ui {

/// The models on this machine, one a row.
class LibraryModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        NameColumn,
        ArchitectureColumn,
        TypeColumn,
        FitColumn,
        ParametersColumn,
        ActiveColumn,
        SizeColumn,
        ContextColumn,
        SpeedColumn, ///< an estimate
        ColumnCount
    };
    enum Role { SortRole = Qt::UserRole + 1 /**< what a column is ordered by */ };

    using QAbstractTableModel::QAbstractTableModel;

    void setEntries(std::vector<LibraryEntry> entries);
    /// More is known of an entry; one that is not there is ignored.
    void update(const LibraryEntry &entry);
    [[nodiscard]] const LibraryEntry &entry(int row) const
    {
        return m_entries[static_cast<std::size_t>(row)];
    }
    [[nodiscard]] int rowOf(const QString &path) const; ///< -1: not there

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::vector<LibraryEntry> m_entries;
};

} // namespace bathyscope::ui
