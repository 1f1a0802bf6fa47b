// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/builtin_model.h"

#include "app/tools/console.h"
#include "engine/error.h"

namespace bathyscope::app {

std::filesystem::path builtinModelDirectory(const std::filesystem::path &programFolder)
{
    const auto directory = programFolder.parent_path() / "share/bathyscope/models/deepseek-v3-builtin";
    std::error_code ignored;
    if (!std::filesystem::exists(directory / "config.json", ignored))
        return {};
    return directory;
}

std::filesystem::path requireBuiltinModel()
{
    const auto directory = builtinModelDirectory(programFolder());
    if (directory.empty())
        throw Error("the built-in model was not found: name a model directory with --model");
    return directory;
}

} // namespace bathyscope::app
