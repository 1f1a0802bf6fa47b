// SPDX-License-Identifier: GPL-3.0-or-later
//
// The chart of probability over rank with its power law in words, and a second token to compare with.
#pragma once

#include "ui/charts/rank_chart.h"

#include "engine/records.h"

#include <QWidget>

class QLabel;
class QToolButton;

namespace bathyscope::ui {

class RankView : public QWidget {
    Q_OBJECT

public:
    explicit RankView(QWidget *parent = nullptr);

    /// `top` most probable first, `name` of the token for the pin.
    void setDistribution(const std::vector<Candidate> &top, TokenId chosen, const QString &name);
    void clear();

    [[nodiscard]] QString readout() const; ///< the power law in words
    [[nodiscard]] QString pinnedReadout() const; ///< of the pinned token; empty: none

private:
    void togglePin(bool on);
    void showTexts();

    RankCurve m_curve;
    QString m_name;
    std::optional<PowerLaw> m_pinnedFit;
    QString m_pinnedName;
    RankChart *m_chart;
    QLabel *m_readout;
    QLabel *m_pinned;
    QToolButton *m_pin;
};

} // namespace bathyscope::ui
