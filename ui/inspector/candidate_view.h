// SPDX-License-Identifier: GPL-3.0-or-later
//
// The token table with its bars beside it, row by row.
#pragma once

#include <QTableView>
#include <QWidget>

namespace bathyscope::ui {

class CandidateChart;
class CandidateModel;

/// Rows of CandidateModel; as high as its rows, so that it never scrolls. Copies rows as TSV.
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
    CandidateModel *m_model;
};

class CandidateView : public QWidget {
    Q_OBJECT

public:
    CandidateView(CandidateModel *model, QWidget *parent);

private:
    void onReset();

    CandidateModel *m_model;
    CandidateTable *m_table;
    CandidateChart *m_chart;
};

} // namespace bathyscope::ui
