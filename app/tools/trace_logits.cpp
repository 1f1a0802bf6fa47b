// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/arguments.h"
#include "app/tools/tool_io.h"
#include "app/tools/trace_commands.h"
#include "engine/checkpoint/safetensors.h"
#include "engine/error.h"
#include "engine/session/local_backend.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope::app {

namespace {

template <typename T>
std::span<const std::byte> bytesOf(const std::vector<T> &values)
{
    return std::as_bytes(std::span<const T>(values));
}

/// All that forward() hands out for a whole sequence, by tensor.
struct Outputs {
    std::int64_t tokens = 0;
    std::vector<float> logits; ///< [tokens, vocab]
    std::vector<float> draftInput; ///< [tokens, hidden]
    std::vector<float> mtpLogits; ///< [tokens - 1, vocab]
    std::vector<std::vector<float>> hidden; ///< by layer [tokens, hidden]
    std::vector<std::vector<std::int32_t>> routerIds; ///< by MoE layer [tokens, k]
    std::vector<std::vector<float>> routerWeights;
};

void appendResult(Outputs &out, const ModelConfig &config, const ForwardResult &result, std::size_t tokens)
{
    out.logits.insert(out.logits.end(), result.logits.begin(), result.logits.end());
    out.draftInput.insert(out.draftInput.end(), result.draftInput.begin(), result.draftInput.end());
    const std::size_t size = tokens * static_cast<std::size_t>(config.hiddenSize);
    for (std::size_t layer = 0; !result.hidden.empty() && layer < out.hidden.size(); ++layer) {
        const auto begin = result.hidden.begin() + static_cast<std::ptrdiff_t>(layer * size);
        out.hidden[layer].insert(out.hidden[layer].end(), begin, begin + static_cast<std::ptrdiff_t>(size));
    }
    const std::size_t layers = out.routerIds.size();
    const auto k = config.moe ? static_cast<std::size_t>(config.moe->numExpertsPerTok) : 0;
    for (std::size_t i = 0; i < result.routing.size(); ++i) {
        const std::size_t layer = i / k % layers;
        out.routerIds[layer].push_back(result.routing[i].expert);
        out.routerWeights[layer].push_back(result.routing[i].weight);
    }
}

Outputs computeOutputs(Executor &executor, const std::vector<TokenId> &ids, bool hidden)
{
    const ModelConfig &config = executor.config();
    const auto cache = executor.createCache(static_cast<std::int32_t>(ids.size()));
    Outputs out;
    out.tokens = static_cast<std::int64_t>(ids.size());
    out.hidden.resize(hidden ? static_cast<std::size_t>(config.numHiddenLayers) : 0);
    out.routerIds.resize(config.moeLayers().size());
    out.routerWeights.resize(config.moeLayers().size());
    const bool draft = executor.hasDraft() && ids.size() > 1;
    ForwardResult result;
    for (std::size_t begin = 0; begin < ids.size();) {
        const std::size_t count = std::min(static_cast<std::size_t>(executor.maxChunk()), ids.size() - begin);
        executor.forward({.tokens = {ids.data() + begin, count},
                          .logits = LogitsOf::AllTokens,
                          .routing = true,
                          .hidden = hidden,
                          .draftInput = draft},
                         *cache, result);
        appendResult(out, config, result, count);
        begin += count;
    }
    const auto width = static_cast<std::size_t>(config.hiddenSize);
    for (std::size_t begin = 0; draft && begin + 1 < ids.size();) {
        const std::size_t count =
            std::min(static_cast<std::size_t>(executor.maxChunk()), ids.size() - 1 - begin);
        std::vector<float> logits;
        executor.draft({ids.data() + begin + 1, count},
                       {out.draftInput.data() + begin * width, count * width},
                       static_cast<std::int32_t>(begin), *cache, logits);
        out.mtpLogits.insert(out.mtpLogits.end(), logits.begin(), logits.end());
        begin += count;
    }
    return out;
}

void writeOutputs(const std::filesystem::path &path, const ModelConfig &config, const Outputs &out)
{
    std::vector<TensorToWrite> tensors;
    tensors.push_back({"logits", "F32", {out.tokens, config.vocabSize}, bytesOf(out.logits)});
    if (!out.mtpLogits.empty())
        tensors.push_back({"mtp_logits", "F32", {out.tokens - 1, config.vocabSize}, bytesOf(out.mtpLogits)});
    for (std::size_t layer = 0; layer < out.hidden.size(); ++layer)
        tensors.push_back({fmt::format("hidden.{}", layer),
                           "F32",
                           {out.tokens, config.hiddenSize},
                           bytesOf(out.hidden[layer])});
    const auto moeLayers = config.moeLayers();
    for (std::size_t i = 0; i < moeLayers.size(); ++i) {
        const std::vector<std::int64_t> shape = {out.tokens, config.moe->numExpertsPerTok};
        tensors.push_back(
            {fmt::format("router.{}.ids", moeLayers[i]), "I32", shape, bytesOf(out.routerIds[i])});
        tensors.push_back(
            {fmt::format("router.{}.weights", moeLayers[i]), "F32", shape, bytesOf(out.routerWeights[i])});
    }
    writeSafetensors(path, tensors);
}

} // namespace

int traceLogits(const std::vector<std::string> &words)
{
    const Arguments arguments(words, withBackendOptions({"--model", "--ids", "--out"}),
                              withBackendFlags({"--hidden"}));
    LocalBackend backend(arguments.require("--model"), backendOptions(arguments));
    const std::vector<TokenId> ids = readIds(arguments.require("--ids"), backend.model());
    writeOutputs(fromUtf8(arguments.require("--out")), backend.executor().config(),
                 computeOutputs(backend.executor(), ids, arguments.flag("--hidden")));
    return 0;
}

} // namespace bathyscope::app
