// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the charts drawn by Qt Charts have in common.
#pragma once

#include <QAbstractAxis>
#include <QChart>

namespace bathyscope::ui {

/// Fills `owner` with the chart, without frame, margins, ground and legend, and names it for assistive
/// technology. The chart is the owner's from then on.
void fillWithChart(QWidget *owner, QChart *chart, const QString &name);

/// Figures and lines of an axis in the colours of the theme.
void styleAxis(QAbstractAxis &axis);

} // namespace bathyscope::ui
