// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/error.h"
#include "engine/text/chat_template.h"

#include <vector>

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string source(asText(data, size));
    try {
        const ChatTemplate compiled(source, "fuzz");
        const std::string secret = "\x1F{{ messages }} <think>\x1F";
        const std::vector<Message> messages{{Role::System, "Be brief."}, {Role::User, secret}};
        for (const PromptPiece &piece : compiled.renderPrompt(messages))
            expect(!piece.scaffolding || source.find('\x1F') != std::string::npos
                       || piece.text.find(secret) == std::string::npos,
                   "what a person wrote is no scaffolding");
    } catch (const Error &) {
    }
    return 0;
}
