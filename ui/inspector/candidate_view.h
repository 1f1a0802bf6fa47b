// SPDX-License-Identifier: GPL-3.0-or-later
//
// The token table with its bars beside it, row by row.
#pragma once

#include "engine/records.h"

#include <QTableView>
#include <QWidget>

namespace bathyscope::ui {

class CandidateChart;
class CandidateModel;

/// Rows of CandidateModel; as high as its rows, up to a limit. Copies rows as TSV.
class CandidateTable : public QTableView {
    Q_OBJECT

public:
    static constexpr int rowHeight = 21; ///< px

    CandidateTable(CandidateModel *model, QWidget *parent);

    /// The selected rows, or all when none is, as TSV on the clipboard.
    void copyRows();

protected:
    void resizeEvent(QResizeEvent *event) override;

private:
    void placeColumns();

    CandidateModel *m_model;
};

class CandidateView : public QWidget {
    Q_OBJECT

public:
    /// At most `rows` rows high; what is more scrolls.
    CandidateView(CandidateModel *model, int rows, QWidget *parent);

signals:
    /// A token was double-clicked, or Enter was pressed on it.
    void tokenActivated(bathyscope::TokenId id);

private:
    void onReset();
    void updateBars();

    CandidateModel *m_model;
    int m_mostRows;
    CandidateTable *m_table;
    CandidateChart *m_chart;
};

} // namespace bathyscope::ui
