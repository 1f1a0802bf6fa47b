// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the tables of the inspector have in common: headings with explanations, and columns that stand left or
// right together with their heading.
#pragma once

#include <QAbstractTableModel>

#include <vector>

namespace bathyscope::ui {

class ColumnModel : public QAbstractTableModel {
    Q_OBJECT

public:
    struct Column {
        QString title;
        QString explanation = {}; ///< tool tip of the heading
        Qt::AlignmentFlag side = Qt::AlignRight; ///< numbers stand right
    };

    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

protected:
    ColumnModel(std::vector<Column> columns, QObject *parent);

    void setColumn(int section, const Column &column);
    /// Qt::TextAlignmentRole of a cell.
    [[nodiscard]] QVariant alignmentOf(int column) const;

private:
    std::vector<Column> m_columns;
};

} // namespace bathyscope::ui
