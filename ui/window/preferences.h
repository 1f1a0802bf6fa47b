// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme/theme.h"

#include <QString>

namespace bathyscope::ui {

/// What the settings dialog changes.
struct Preferences {
    ColorScheme scheme = ColorScheme::System;
    int textSize = 100; ///< per cent, from the next start on
    int traceMegabytes = 2000; ///< what the traces may take; 0: no limit
    int traceDays = 0; ///< how long traces are kept; 0: no limit
    QString historyFolder; ///< from the next start on; empty: the program's own folder

    bool operator==(const Preferences &) const = default;
};

} // namespace bathyscope::ui
