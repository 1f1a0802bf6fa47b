// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/builtin_model.h"

#include "app/tools/console.h"
#include "engine/error.h"

namespace bathyscope::app {

std::filesystem::path builtinModelDirectory(const std::filesystem::path &programFolder)
{
    const char *name = "deepseek-v3-builtin";
    std::error_code ignored;
    for (const auto &models : {programFolder.parent_path() / "share/bathyscope/models",
                               std::filesystem::path(BATHYSCOPE_SOURCE_MODELS)})
        if (std::filesystem::exists(models / name / "config.json", ignored))
            return models / name;
    return {};
}

std::filesystem::path requireBuiltinModel()
{
    const auto directory = builtinModelDirectory(programFolder());
    if (directory.empty())
        throw Error("the built-in model was not found: name a model directory with --model");
    return directory;
}

} // namespace bathyscope::app
