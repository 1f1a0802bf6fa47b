// SPDX-License-Identifier: GPL-3.0-or-later
//
// A horizontal bar for every row of the token table. Behind an interface, so that another drawing can stand
// in where Qt Charts is missing.
#pragma once

#include <QWidget>

#include <vector>

namespace bathyscope::ui {

struct CandidateBar {
    enum class Kind { Plain, Chosen, Others };

    QString label;
    double probability = 0; ///< 0…1
    Kind kind = Kind::Plain;
};

class CandidateChart : public QWidget {
    Q_OBJECT

public:
    using QWidget::QWidget;

    /// Top row first.
    virtual void setBars(const std::vector<CandidateBar> &bars) = 0;
    /// Where the rows of the table beside it lie: the first begins at `top`, each is `height` px high.
    virtual void setRows(int top, int height) = 0;

signals:
    void rowClicked(int row);
};

/// The chart made with Qt Charts, or the painted one where it is missing.
CandidateChart *createCandidateChart(QWidget *parent);

} // namespace bathyscope::ui
