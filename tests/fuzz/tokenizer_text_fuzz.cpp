// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/error.h"
#include "engine/text/tokenizer.h"

#include <vector>

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const Tokenizer tokenizer =
        Tokenizer::fromFile(std::filesystem::path(BATHYSCOPE_BUILTIN_MODEL) / "tokenizer.json");
    try {
        const auto vocabulary = static_cast<TokenId>(tokenizer.vocabulary()->size());
        for (const AddedTokens added : {AddedTokens::Recognise, AddedTokens::Plain}) {
            const std::vector<TokenId> ids = tokenizer.encode(asText(data, size), added);
            for (const TokenId id : ids)
                expect(id >= 0 && id < vocabulary, "ids are those of the vocabulary");
            const std::string text = tokenizer.decode(ids);
            expect(tokenizer.decode(tokenizer.encode(text, added)) == text,
                   "text that was decoded once stays");
        }
        std::vector<TokenId> ids;
        for (std::size_t i = 0; i + 2 <= size; i += 2)
            ids.push_back(static_cast<TokenId>(data[i] | data[i + 1] << 8) % vocabulary);
        (void)tokenizer.decode(ids);
    } catch (const Error &) {
    }
    return 0;
}
