// SPDX-License-Identifier: GPL-3.0-or-later
//
// Probability over rank, both axes logarithmic. Behind an interface, as candidate_chart.h.
#pragma once

#include "ui/model/power_law.h"

#include <QWidget>

#include <optional>
#include <vector>

namespace bathyscope::ui {

struct RankCurve {
    std::vector<double> probabilities; ///< of ranks 1, 2, …, descending, all above 0
    std::optional<PowerLaw> fit;
    int chosenRank = 0; ///< rank of the chosen token; 0: not among them
};

class RankChart : public QWidget {
    Q_OBJECT

public:
    using QWidget::QWidget;

    virtual void setCurve(const RankCurve &curve) = 0;
    /// The probabilities of a second token to compare with; empty: none.
    virtual void setPinned(const std::vector<double> &probabilities) = 0;
};

/// The chart made with Qt Charts, or the painted one where it is missing.
RankChart *createRankChart(QWidget *parent);

} // namespace bathyscope::ui
