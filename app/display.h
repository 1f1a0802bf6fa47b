// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace bathyscope::app {

/// Whether a window can be opened here. Only on Linux it may be impossible.
bool hasDisplay();

} // namespace bathyscope::app
