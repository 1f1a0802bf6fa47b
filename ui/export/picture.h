// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QWidget;

namespace bathyscope::ui {

/// Writes a view as it looks now: an SVG file where the name ends so, else a PNG of twice its size on the
/// screen. Returns what went wrong, for people; empty: nothing.
QString writePicture(QWidget &view, const QString &file);

/// File names for a dialogue: what writePicture() can write in this build.
[[nodiscard]] QString pictureFilter();

} // namespace bathyscope::ui
