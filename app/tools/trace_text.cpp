// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/arguments.h"
#include "app/tools/trace_commands.h"
#include "engine/error.h"
#include "engine/json_file.h"
#include "engine/text/chat_template.h"
#include "engine/text/prompt.h"
#include "engine/text/tokenizer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdio>

namespace bathyscope::app {

int traceTokenize(const std::vector<std::string> &words)
{
    const Arguments arguments(words, {"--model", "--text-file"}, {"--plain"});
    const Tokenizer tokenizer =
        Tokenizer::fromFile(fromUtf8(arguments.require("--model")) / "tokenizer.json");
    const std::string text = readTextFile(fromUtf8(arguments.require("--text-file")));
    const auto ids =
        tokenizer.encode(text, arguments.flag("--plain") ? AddedTokens::Plain : AddedTokens::Recognise);
    fmt::print("[{}]\n", fmt::join(ids, ", "));
    return 0;
}

int traceRender(const std::vector<std::string> &words)
{
    const Arguments arguments(words, {"--template", "--input"}, {});
    const std::string file = arguments.require("--template");
    const ChatTemplate chatTemplate(readTextFile(fromUtf8(file)), file);
    const auto input = fromUtf8(arguments.require("--input"));
    // Ordered: a template that prints an object keeps the order of its keys.
    const auto variables = nlohmann::ordered_json::parse(readTextFile(input), nullptr, false);
    if (!variables.is_object())
        throwFileError(input, "content", "a JSON object",
                       variables.is_discarded() ? "invalid JSON" : variables.type_name());
    const std::string text = joined(chatTemplate.renderOrdered(variables));
    std::fwrite(text.data(), 1, text.size(), stdout);
    return 0;
}

} // namespace bathyscope::app
