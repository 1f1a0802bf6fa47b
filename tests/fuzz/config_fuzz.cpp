// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/error.h"
#include "engine/models/model_config.h"

using namespace bathyscope;
using namespace bathyscope::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const Folder folder;
    try {
        const ModelConfig config = loadModelConfig(folder.write("config.json", asText(data, size)));
        expect(config.numHiddenLayers > 0 && config.vocabSize > 0, "a model has layers and a vocabulary");
    } catch (const Error &) {
    }
    return 0;
}
