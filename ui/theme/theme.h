// SPDX-License-Identifier: GPL-3.0-or-later
//
// Colours, fonts and measures of the whole window. Views ask for them when they paint, so that a change of
// theme needs nothing but a repaint.
#pragma once

#include <QColor>
#include <QFont>
#include <QIcon>

class QApplication;

namespace bathyscope::ui {

enum class ColorScheme { System, Light, Dark };

/// All colours of one scheme. Text against its ground has a contrast of at least 4.5:1.
struct Colors {
    bool dark = false;
    QColor ground; ///< behind chat and conversations
    QColor panel; ///< inspector, bars, input
    QColor text;
    QColor secondary; ///< less important text
    QColor line; ///< rules of one pixel
    QColor accent;
    QColor onAccent; ///< text on the accent
    QColor ownMessage;
    QColor reasoning;
    QColor selection; ///< the one amber thing: the selected token
    QColor selectionOutline;
    QColor hover; ///< ground of a hovered row
    QColor code; ///< ground of code
    QColor error;
};

namespace theme {

/// Loads the bundled fonts, sets palette, style sheet and font of the application.
void apply(QApplication &application, ColorScheme scheme);

/// Colours of the scheme last applied (light before that).
const Colors &colors();

QFont textFont(); ///< Inter, 14 px, line height 21
QFont messageFont(); ///< Inter, 15 px, line height 23
QFont smallFont(); ///< Inter, 12 px
QFont monoFont(); ///< JetBrains Mono, 13 px
/// The text font with tabular figures, for columns of numbers.
QFont numberFont();

constexpr int textLineHeight = 21; ///< px
constexpr int messageLineHeight = 23; ///< px
constexpr int chatWidth = 760; ///< px, the widest a column of text gets
constexpr int radius = 8; ///< px

/// Heat scale: 0 is the ground, through the accent to deep blue (light) or amber (dark), monotone in
/// lightness. `value` is clamped to 0…1.
QColor heat(double value);

/// Diverging scale: -1 is blue, 0 the ground, 1 orange. `value` is clamped to -1…1.
QColor difference(double value);

/// The program's mark in every size a desktop asks for.
QIcon applicationIcon();

} // namespace theme

} // namespace bathyscope::ui
