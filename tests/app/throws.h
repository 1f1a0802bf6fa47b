// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace bathyscope::app {

/// Whether calling it throws that. Qt's own macros for it are too old for one of the versions we build with
/// and too new for another.
template <typename Exception, typename Function>
bool throws(Function function)
{
    try {
        function();
    } catch (const Exception &) {
        return true;
    }
    return false;
}

} // namespace bathyscope::app
