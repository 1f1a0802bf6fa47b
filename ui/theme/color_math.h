// SPDX-License-Identifier: GPL-3.0-or-later
//
// Lightness and contrast of colours (CIE 1976 L*a*b* under D65; WCAG 2.1 contrast).
#pragma once

#include <QColor>

namespace bathyscope::ui {

struct LabColor {
    double lightness = 0; ///< L*, 0…100
    double a = 0;
    double b = 0;
};

LabColor toLab(const QColor &color);

/// The nearest sRGB colour; components outside sRGB are clamped.
QColor fromLab(const LabColor &color);

/// The colour `t` (0…1) of the way from `from` to `to`, on a straight line in Lab.
QColor mixLab(const QColor &from, const QColor &to, double t);

/// WCAG 2.1 contrast ratio of two opaque colours, 1…21.
double contrastRatio(const QColor &first, const QColor &second);

} // namespace bathyscope::ui
