// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "storage/crc32.h"
#include "storage/token_blob.h"
#include "storage/trace_blob.h"

#include "engine/error.h"

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    // With the right checksum: a wrong one would hide all that is behind it.
    std::string blob(asText(data, size));
    const std::uint32_t checksum = storage::crc32(blob);
    for (unsigned i = 4; i-- > 0;)
        blob.insert(blob.begin(), static_cast<char>(checksum >> (8 * i)));
    try {
        expect(storage::unpackTokens(blob).size() <= storage::kTokensPerBlob, "a blob is of limited size");
    } catch (const Error &) {
    }
    try {
        (void)storage::unpackTraces(blob);
        (void)storage::joinTraces(std::vector<std::string>{blob, blob});
    } catch (const Error &) {
    }
    try {
        const Vocabulary vocabulary = storage::unpackVocabulary(blob);
        expect(storage::unpackVocabulary(storage::packVocabulary(vocabulary)) == vocabulary,
               "bytes come back");
    } catch (const Error &) {
    }
    return 0;
}
