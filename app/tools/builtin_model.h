// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>

namespace bathyscope::app {

/// Directory of the built-in model: ../share/bathyscope/models from `programFolder`, where the executables
/// lie; a build folder has a link there. Empty when there is none.
std::filesystem::path builtinModelDirectory(const std::filesystem::path &programFolder);

/// The same for the running program. Throws Error when there is none.
std::filesystem::path requireBuiltinModel();

} // namespace bathyscope::app
