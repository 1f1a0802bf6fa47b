// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

namespace bathyscope::app {

/// Directory of the built-in model: beside the installed programs, whose executables lie in `programFolder`,
/// else in the tree they were built from. Empty when it is in neither.
std::filesystem::path builtinModelDirectory(const std::filesystem::path &programFolder);

/// The same for the running program. Throws Error when there is none.
std::filesystem::path requireBuiltinModel();

} // namespace bathyscope::app
