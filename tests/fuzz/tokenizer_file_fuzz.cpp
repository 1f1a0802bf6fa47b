// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/error.h"
#include "engine/text/tokenizer.h"

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const Folder folder;
    try {
        const Tokenizer tokenizer = Tokenizer::fromFile(folder.write("tokenizer.json", asText(data, size)));
        const auto vocabulary = static_cast<TokenId>(tokenizer.vocabulary()->size());
        for (const TokenId id :
             tokenizer.encode("Hello, <think> 123 Gr\xC3\xBC\xC3\x9F\x65\n", AddedTokens::Recognise))
            expect(id >= 0 && id < vocabulary, "ids are those of the vocabulary");
    } catch (const Error &) {
    }
    return 0;
}
