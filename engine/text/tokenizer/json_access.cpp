// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/json_access.h"

#include "engine/error.h"

#include <fmt/format.h>
#include <fstream>

namespace bathyscope::json {

nlohmann::json readFile(const std::filesystem::path &file, std::uintmax_t maxBytes)
{
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(file, error);
    if (error) {
        throw Error(fmt::format("{}: cannot be read: {}", toUtf8(file), error.message()));
    }
    if (size > maxBytes) {
        throwFileError(file, "size", fmt::format("at most {} bytes", maxBytes), std::to_string(size));
    }
    std::ifstream stream(file, std::ios::binary);
    try {
        return nlohmann::json::parse(stream);
    } catch (const nlohmann::json::exception &problem) {
        throw Error(fmt::format("{}: is not valid JSON: {}", toUtf8(file), problem.what()));
    }
}

std::string shown(const nlohmann::json &value)
{
    if (value.is_object() || value.is_array()) {
        return fmt::format("{} of {} entries", value.is_object() ? "an object" : "an array", value.size());
    }
    const std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    constexpr std::size_t longest = 80;
    return text.size() > longest ? text.substr(0, longest) + "…" : text;
}

std::string joinKey(const std::string &key, const std::string &name)
{
    return key.empty() ? name : key + "." + name;
}

const nlohmann::json &member(const nlohmann::json &object, const std::string &name, const std::string &key,
                             const std::filesystem::path &file)
{
    if (!object.is_object()) {
        throwFileError(file, key.empty() ? "the file" : key, "an object", shown(object));
    }
    const auto found = object.find(name);
    if (found == object.end()) {
        throwFileError(file, joinKey(key, name), "an entry", "none");
    }
    return *found;
}

std::string stringMember(const nlohmann::json &object, const std::string &name, const std::string &key,
                         const std::filesystem::path &file)
{
    const nlohmann::json &value = member(object, name, key, file);
    if (!value.is_string()) {
        throwFileError(file, joinKey(key, name), "a string", shown(value));
    }
    return value.get<std::string>();
}

bool boolMember(const nlohmann::json &object, const std::string &name, bool otherwise, const std::string &key,
                const std::filesystem::path &file)
{
    const auto found = object.find(name);
    if (found == object.end() || found->is_null()) {
        return otherwise;
    }
    if (!found->is_boolean()) {
        throwFileError(file, joinKey(key, name), "true or false", shown(*found));
    }
    return found->get<bool>();
}

} // namespace bathyscope::json
