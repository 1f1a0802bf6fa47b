// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/json_file.h"

#include "engine/error.h"
#include "engine/limits.h"

#include <fmt/format.h>

#include <fstream>

namespace bathyscope {

std::string readTextFile(const std::filesystem::path &path)
{
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error)
        throw Error(fmt::format("{}: cannot be read: {}", toUtf8(path), error.message()));
    if (size > limits::maxTextFile)
        throwFileError(path, "size", fmt::format("at most {} bytes", limits::maxTextFile),
                       fmt::format("{} bytes", size));
    std::ifstream file(path, std::ios::binary);
    std::string text(static_cast<std::size_t>(size), '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file)
        throw Error(fmt::format("{}: cannot be read", toUtf8(path)));
    return text;
}

nlohmann::json readJsonFile(const std::filesystem::path &path)
{
    const std::string text = readTextFile(path);
    nlohmann::json value;
    try {
        value = nlohmann::json::parse(text);
    } catch (const nlohmann::json::exception &e) {
        throw Error(fmt::format("{}: not valid JSON: {}", toUtf8(path), e.what()));
    }
    if (!value.is_object())
        throwFileError(path, "content", "a JSON object", value.type_name());
    return value;
}

} // namespace bathyscope
