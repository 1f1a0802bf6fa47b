// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"

#include <vector>

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const Folder folder;
    static const bool written = [] {
        const std::vector<std::byte> bytes(16);
        const std::vector<TensorToWrite> tensors{{"a", "F32", {2, 2}, bytes}};
        writeSafetensors(folder.path() / "one.safetensors", tensors);
        return true;
    }();
    expect(written, "there is a file to find");
    try {
        folder.write("model.safetensors.index.json", asText(data, size));
        const Checkpoint checkpoint(folder.path());
        expect(!checkpoint.fingerprint().empty(), "a checkpoint has a fingerprint");
    } catch (const Error &) {
    }
    return 0;
}
