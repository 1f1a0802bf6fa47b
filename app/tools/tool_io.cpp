// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/tool_io.h"

#include "engine/error.h"
#include "engine/json_file.h"
#include "engine/limits.h"

#include <fmt/format.h>

namespace bathyscope::app {

std::set<std::string> withBackendOptions(std::set<std::string> options)
{
    options.merge(std::set<std::string>{"--device", "--threads", "--context"});
    return options;
}

std::set<std::string> withBackendFlags(std::set<std::string> flags)
{
    flags.merge(std::set<std::string>{"--quantise", "--bf16-activations", "--host-experts"});
    return flags;
}

LocalBackendOptions backendOptions(const Arguments &arguments)
{
    return {.device = arguments.value("--device").value_or("auto"),
            .threads = static_cast<std::int32_t>(arguments.integer("--threads", 0, 0, 1024)),
            .contextLength =
                static_cast<std::int32_t>(arguments.integer("--context", 0, 0, limits::maxContext)),
            .quantise = arguments.flag("--quantise"),
            .bf16Activations = arguments.flag("--bf16-activations"),
            .hostExperts = arguments.flag("--host-experts")};
}

std::vector<TokenId> readIds(const std::string &file, const ModelInfo &model)
{
    const auto path = fromUtf8(file);
    const nlohmann::json array = nlohmann::json::parse(readTextFile(path), nullptr, false);
    const auto vocabulary = static_cast<std::int64_t>(model.vocabulary->size());
    if (!array.is_array() || array.empty() || array.size() > static_cast<std::size_t>(model.contextLength))
        throwFileError(path, "content", fmt::format("a JSON array of 1 to {} token ids", model.contextLength),
                       array.is_array() ? fmt::format("{} ids", array.size()) : "something else");
    std::vector<TokenId> ids;
    for (const nlohmann::json &id : array) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0 || id.get<std::int64_t>() >= vocabulary)
            throwFileError(path, fmt::format("[{}]", ids.size()),
                           fmt::format("a token id from 0 to {}", vocabulary - 1), id.dump());
        ids.push_back(id.get<TokenId>());
    }
    return ids;
}

} // namespace bathyscope::app
