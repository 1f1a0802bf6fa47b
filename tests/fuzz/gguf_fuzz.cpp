// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/fuzz/fuzz.h"

#include "engine/checkpoint/gguf_checkpoint.h"
#include "engine/error.h"
#include "engine/models/gguf_config.h"
#include "engine/models/model_weights.h"
#include "engine/text/chat_template.h"
#include "engine/text/tokenizer.h"

using namespace bathyscope;
using namespace bathyscope::fuzz;

namespace {

/// A part of a model that may be wrong on its own.
template <typename Function>
void attempt(const Function &function)
{
    try {
        function();
    } catch (const Error &) {
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    static const Folder folder;
    const auto path = folder.write("model.gguf", asText(data, size));
    attempt([&] {
        const GgufFile file(path);
        unsigned sum = 0;
        for (const auto &[name, tensor] : file.tensors())
            for (const std::byte byte : tensor.bytes)
                sum += std::to_integer<unsigned>(byte);
        expect(sum <= 255 * size, "the bytes of all tensors are bytes of the file, each once");
        attempt([&] { Tokenizer::fromGguf(file.metadata(), path); });
        attempt([&] { ChatTemplate::fromGguf(file.metadata(), path); });
    });
    attempt([&] {
        const GgufCheckpoint model(path);
        expect(!model.fingerprint().empty() && model.bytes() <= static_cast<std::int64_t>(size),
               "a model has a fingerprint and no more bytes than its file");
        const ModelConfig config = loadModelConfig(model);
        loadGenerationConfig(model);
        const ModelWeights weights = bindWeights(config, model);
        expect(!weights.layers.empty(), "a model has layers");
    });
    return 0;
}
