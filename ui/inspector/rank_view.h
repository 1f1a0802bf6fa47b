// SPDX-License-Identifier: GPL-3.0-or-later
//
// The chart of probability over rank with its power law in words, and a second token to compare with.
#pragma once

#include "ui/charts/rank_chart.h"

#include "ui/model/selection.h"

#include <QWidget>

class QLabel;
class QToolButton;

namespace bathyscope::ui {

class RankView : public QWidget {
    Q_OBJECT

public:
    /// The selection must outlive the view.
    explicit RankView(Selection *selection, QWidget *parent = nullptr);

    /// `top` of the token at `at`, most probable first.
    void setDistribution(const TokenPosition &at, const std::vector<Candidate> &top, TokenId chosen);
    void clear();

    [[nodiscard]] QString readout() const; ///< the power law in words
    [[nodiscard]] QString pinnedReadout() const; ///< of the pinned token; empty: none

signals:
    /// The token shown is to be kept for comparison, or none.
    void pinRequested(bool pin);

private:
    void updatePin();
    void showTexts();

    Selection *m_selection;
    RankCurve m_curve;
    TokenPosition m_at; ///< of m_curve
    std::optional<PowerLaw> m_pinnedFit;
    RankChart *m_chart;
    QLabel *m_readout;
    QLabel *m_pinned;
    QToolButton *m_pin;
};

} // namespace bathyscope::ui
