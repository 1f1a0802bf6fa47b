// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/error.h"

#include <fmt/format.h>

namespace bathyscope {

void throwFileError(const std::filesystem::path &file, const std::string &key, const std::string &expected,
                    const std::string &found)
{
    throw Error(fmt::format("{}: {}: expected {}, found {}", toUtf8(file), key, expected, found));
}

std::string toUtf8(const std::filesystem::path &path)
{
    const std::u8string text = path.u8string();
    return {text.begin(), text.end()};
}

std::filesystem::path fromUtf8(const std::string &text)
{
    return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

} // namespace bathyscope
