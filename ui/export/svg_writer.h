// SPDX-License-Identifier: GPL-3.0-or-later
//
// SVG needs a library that not every build has (Qt Svg): one form with it, one without.
#pragma once

#include <QString>

class QWidget;

namespace bathyscope::ui {

[[nodiscard]] bool canWriteSvg();

/// Draws a view into an SVG file. Returns what went wrong, for people; empty: nothing.
QString writeSvg(QWidget &view, const QString &file);

} // namespace bathyscope::ui
