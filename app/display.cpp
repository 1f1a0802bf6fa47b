// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/display.h"

#include <QtGlobal>

namespace bathyscope::app {

bool hasDisplay()
{
#ifdef Q_OS_LINUX
    return !qEnvironmentVariableIsEmpty("DISPLAY") || !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY")
        || !qEnvironmentVariableIsEmpty("QT_QPA_PLATFORM");
#else
    return true;
#endif
}

} // namespace bathyscope::app
