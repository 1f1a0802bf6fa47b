// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/checkpoint/safetensors.h"
#include "engine/error.h"

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const Folder folder;
    try {
        const SafetensorsFile file(folder.write("model.safetensors", asText(data, size)));
        unsigned sum = 0;
        for (const auto &[name, tensor] : file.tensors())
            for (const std::byte byte : tensor.bytes)
                sum += std::to_integer<unsigned>(byte);
        expect(sum <= 255 * size, "the bytes of all tensors are bytes of the file, each once");
    } catch (const Error &) {
    }
    return 0;
}
