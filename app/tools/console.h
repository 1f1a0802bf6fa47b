// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a program is started with and where it writes to. One .cpp file for each kind of system.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bathyscope::app {

/// The words after the program's name in UTF-8. Standard output takes UTF-8 and bytes as they are from now
/// on.
std::vector<std::string> openConsole(int argc, char **argv);

/// For a program with a window: gives it the console that it was started from, where it has none of its own.
void joinConsole();

/// The folder that the running program lies in; empty when the system does not tell.
std::filesystem::path programFolder();

} // namespace bathyscope::app
