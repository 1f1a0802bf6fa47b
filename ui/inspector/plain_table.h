// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTableView>

namespace bathyscope::ui {

/// A quiet table of numbers: no grid, rows are chosen whole, copying gives text with tabs.
class PlainTable : public QTableView {
    Q_OBJECT

public:
    /// `rows`: how many are in sight at most before it scrolls.
    PlainTable(QAbstractItemModel *model, const QString &name, int rows, QWidget *parent);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {200, sizeHint().height()}; }
    void copyRows();

signals:
    /// The user chose a row, by click or key.
    void rowPicked(int row);

protected:
    void currentChanged(const QModelIndex &current, const QModelIndex &previous) override;

private:
    int m_rows;
};

} // namespace bathyscope::ui
