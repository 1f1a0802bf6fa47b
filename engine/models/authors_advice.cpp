// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/models/authors_advice.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace bathyscope {

std::optional<AuthorsAdvice> authorsAdvice(std::string_view name)
{
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto has = [&lower](std::string_view part) { return lower.find(part) != std::string::npos; };
    if (has("deepseek-r1")) // model card: "Usage Recommendations"; the release of May 2025 takes system
                            // prompts
        return AuthorsAdvice{.sampling = {.temperature = 0.6F, .topP = 0.95F, .seed = {}},
                             .noSystemPrompt = !has("0528")};
    if (has("qwq-32b")) // model card: "Usage Guidelines"
        return AuthorsAdvice{.sampling = {.temperature = 0.6F, .topK = 40, .topP = 0.95F, .seed = {}}};
    if (has("qwen3") && !has("instruct") && !has("coder") && !has("base")) // model card: "Best Practices"
        return AuthorsAdvice{.sampling = {.temperature = 0.6F, .topK = 20, .topP = 0.95F, .seed = {}}};
    return std::nullopt;
}

} // namespace bathyscope
