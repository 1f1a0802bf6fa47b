// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace bathyscope {

/// Reads a whole file; throws Error naming it when it is missing or larger than limits::maxTextFile.
std::string readTextFile(const std::filesystem::path &path);

/// Parses a JSON file that must hold an object; throws Error with file and position.
nlohmann::json readJsonFile(const std::filesystem::path &path);

} // namespace bathyscope
