// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTableView>

#include <vector>

namespace bathyscope::ui {

/// A quiet table of numbers: no grid, rows are chosen whole, copying gives text with tabs.
class PlainTable : public QTableView {
    Q_OBJECT

public:
    enum class Widths {
        ByContent, ///< columns are as wide as what they hold, and share what is left
        ByOwner ///< who made the table sets them
    };

    /// `rows`: how many are in sight at most before it scrolls.
    PlainTable(QAbstractItemModel *model, const QString &name, int rows, QWidget *parent,
               Widths widths = Widths::ByContent);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override { return {200, sizeHint().height()}; }
    void copyRows();

signals:
    /// The user chose a row, by click or key.
    void rowPicked(int row);

protected:
    void resizeEvent(QResizeEvent *event) override;
    void currentChanged(const QModelIndex &current, const QModelIndex &previous) override;

private:
    void fitColumns();

    int m_rows;
    Widths m_policy;
    std::vector<int> m_widths; ///< px that each column has needed so far
};

} // namespace bathyscope::ui
