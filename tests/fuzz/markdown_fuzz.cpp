// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "ui/markdown/parser.h"

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string_view source = asText(data, size);
    const ui::markdown::ParseResult whole = ui::markdown::parse(source);
    expect(whole.last.offset <= source.size(), "a checkpoint lies within the text");
    ui::markdown::IncrementalParser growing;
    for (const std::size_t part : {size / 3, size / 2, size})
        growing.update(source.substr(0, part));
    expect(growing.blocks() == whole.blocks, "a document that grew is the document");
    return 0;
}
