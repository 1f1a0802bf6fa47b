// SPDX-License-Identifier: GPL-3.0-or-later
//
// Where the user's data lives. One .cpp file for each kind of system.
#pragma once

#include <filesystem>

namespace bathyscope::storage {

/// The folder of the user's default profile; it need not exist. On Linux $XDG_DATA_HOME/bathyscope, or
/// ~/.local/share/bathyscope (XDG Base Directory Specification); on Windows %APPDATA%\bathyscope. Throws
/// Error when the user has no home.
std::filesystem::path defaultProfileFolder();

} // namespace bathyscope::storage
