// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// The rules of the house that a machine can check: who may include whom, how long a file may be, what lies
/// at the top level.
namespace bathyscope::layout {

/// Longest C++ file, in lines.
inline constexpr int maxFileLines = 500;

/// What is wrong with one C++ file, each as "path:line: what, and what to do"; empty when all is well.
/// `path` is relative to the repository root, with '/': its first part decides what may be included.
std::vector<std::string> checkSource(std::string_view path, std::string_view text);

/// The entries of the repository's top level that do not belong there.
std::vector<std::string> checkTopLevel(const std::vector<std::string> &names);

/// checkSource over every C++ file below the folders of `root` that hold code.
std::vector<std::string> checkTree(const std::filesystem::path &root);

} // namespace bathyscope::layout
