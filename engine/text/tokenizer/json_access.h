// SPDX-License-Identifier: GPL-3.0-or-later
//
// Checked access to the entries of a JSON file: what is missing or of the wrong kind is an Error that names
// the file and the key.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <string>

namespace bathyscope::json {

/// The whole file. Throws Error where it is missing, larger than `maxBytes` or not JSON.
nlohmann::json readFile(const std::filesystem::path &file, std::uintmax_t maxBytes);

/// A value as it is shown in an error: short, on one line.
std::string shown(const nlohmann::json &value);

/// The entry `name` of an object that is found under `key` ("" for the whole file).
const nlohmann::json &member(const nlohmann::json &object, const std::string &name, const std::string &key,
                             const std::filesystem::path &file);

std::string stringMember(const nlohmann::json &object, const std::string &name, const std::string &key,
                         const std::filesystem::path &file);

/// An absent or null entry has the value `otherwise`.
bool boolMember(const nlohmann::json &object, const std::string &name, bool otherwise, const std::string &key,
                const std::filesystem::path &file);

/// "key.name", or "name" at the top.
std::string joinKey(const std::string &key, const std::string &name);

} // namespace bathyscope::json
