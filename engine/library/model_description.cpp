// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/library/model_description.h"

#include "engine/checkpoint/gguf_file.h"
#include "engine/json_file.h"
#include "engine/models/model_weights.h"
#include "engine/session/model_files.h"

namespace bathyscope {

namespace {

namespace fs = std::filesystem;

/// Bytes of the weights' files, for a model that is not understood.
std::int64_t fileBytesOf(const fs::path &path)
{
    std::error_code error;
    if (fs::is_regular_file(path, error))
        return static_cast<std::int64_t>(fs::file_size(path, error));
    std::int64_t sum = 0;
    fs::directory_iterator it(path, error);
    for (; !error && it != fs::directory_iterator(); it.increment(error)) {
        const fs::path extension = it->path().extension();
        std::error_code ignored;
        if ((extension == ".safetensors" || extension == ".bin") && it->is_regular_file(ignored))
            sum += static_cast<std::int64_t>(it->file_size(ignored));
    }
    return sum;
}

std::int64_t bytesOfOneToken(const ModelConfig &config, const ModelMemory &memory)
{
    std::int64_t bytes = memory.head.stored; // of the embedding one row is read
    for (const ModelMemory::Layer &layer : memory.layers) {
        bytes += layer.fixed.stored;
        if (layer.experts > 0)
            bytes += config.moe->numExpertsPerTok * layer.expert.stored;
    }
    return bytes;
}

/// The name that the files give, for a model that is of no known kind.
std::string namedArchitecture(const fs::path &path)
{
    try {
        const bool directory = fs::is_directory(path);
        const nlohmann::json object = directory ? readJsonFile(path / "config.json") : readGgufMetadata(path);
        const auto name = object.find(directory ? "model_type" : "general.architecture");
        return name != object.end() && name->is_string() ? name->get<std::string>() : std::string();
    } catch (const std::exception &) {
        return {};
    }
}

void readTokenizer(const fs::path &path, const WeightFiles &model)
{
    if (const auto *gguf = dynamic_cast<const GgufCheckpoint *>(model.weights.get()))
        static_cast<void>(Tokenizer::fromGguf(gguf->metadata(), gguf->path()));
    else
        static_cast<void>(Tokenizer::fromFile(tokenizerFile(path)));
}

void measure(const fs::path &path, ModelDescription &description)
{
    const WeightFiles model = openWeightFiles(path, GgufContents::Headers);
    description.architecture = model.config.modelType;
    description.fileBytes = model.weights->bytes();
    description.contextLength = model.config.maxPositionEmbeddings;
    const ModelWeights weights = bindWeights(model.config, *model.weights);
    const ParameterCount parameters = countParameters(model.config, weights);
    const auto needs = std::make_shared<const ModelMemory>(measureMemory(model.config, weights));
    description.parameters = parameters.total;
    description.activeParameters = parameters.active;
    description.dtype = mainType(weights);
    description.activeBytes = bytesOfOneToken(model.config, *needs);
    const kernels::DType dtype = weights.layers.front().outputProjection().dtype;
    description.convertible = fs::is_directory(path) && !kernels::isPacked(dtype)
        && dtype != kernels::DType::F8E4M3 && fs::exists(path / "config.json");
    readTokenizer(path, model);
    model.weights->expectWhole();
    description.needs = needs;
}

} // namespace

std::string mainType(const ModelWeights &weights)
{
    const kernels::DType dtype = weights.layers.front().outputProjection().dtype;
    return dtype == kernels::DType::F8E4M3 ? "FP8" : kernels::blockOf(dtype).name;
}

ModelDescription describeModel(const fs::path &path)
{
    ModelDescription description;
    try {
        measure(path, description);
    } catch (const std::exception &error) {
        description.refusal = error.what();
        description.fileBytes = fileBytesOf(path);
        if (description.architecture.empty())
            description.architecture = namedArchitecture(path);
    }
    return description;
}

} // namespace bathyscope
