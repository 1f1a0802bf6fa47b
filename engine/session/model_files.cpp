// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/session/model_files.h"

#include "engine/checkpoint/checkpoint.h"
#include "engine/error.h"
#include "engine/library/model_finder.h"
#include "engine/models/authors_advice.h"
#include "engine/models/gguf_config.h"

#include <fmt/format.h>

#include <algorithm>

namespace bathyscope {

namespace {

namespace fs = std::filesystem;

bool isGguf(const fs::path &path)
{
    return path.extension() == ".gguf";
}

/// The file's, or what it says of itself where it is named by a hash.
std::string nameOf(const GgufCheckpoint &model, const fs::path &file)
{
    const auto name = model.metadata().find("general.name");
    const bool named = name != model.metadata().end() && name->is_string();
    return isGguf(file) || !named ? modelTitle(file) : name->get<std::string>();
}

template <typename Load>
void readTemplate(ModelFiles &files, const Load &load)
{
    try {
        files.chatTemplate = load();
    } catch (const Error &error) {
        files.templateError = error.what(); // such a model still continues ids
    }
}

ModelFiles openGguf(const fs::path &file)
{
    const auto model = std::make_shared<const GgufCheckpoint>(file);
    ModelFiles files{.name = nameOf(*model, file),
                     .config = loadModelConfig(*model),
                     .generation = loadGenerationConfig(*model),
                     .tokenizer = Tokenizer::fromGguf(model->metadata(), model->path()),
                     .chatTemplate = {},
                     .templateError = {},
                     .weights = model,
                     .fingerprint = model->fingerprint(),
                     .weightBytes = model->bytes()};
    readTemplate(files, [&] { return ChatTemplate::fromGguf(model->metadata(), model->path()); });
    return files;
}

ModelFiles openHub(const fs::path &directory)
{
    ModelConfig config = loadModelConfig(directory / "config.json"); // first: it says what cannot run
    Tokenizer tokenizer = Tokenizer::fromFile(tokenizerFile(directory));
    const auto checkpoint = std::make_shared<const Checkpoint>(directory);
    ModelFiles files{.name = modelTitle(directory),
                     .config = std::move(config),
                     .generation = loadGenerationConfig(directory),
                     .tokenizer = std::move(tokenizer),
                     .chatTemplate = {},
                     .templateError = {},
                     .weights = checkpoint,
                     .fingerprint = checkpoint->fingerprint(),
                     .weightBytes = checkpoint->bytes()};
    readTemplate(files, [&] { return ChatTemplate::fromModelDirectory(directory); });
    return files;
}

} // namespace

std::optional<fs::path> ggufFile(const fs::path &path)
{
    if (isGguf(path))
        return path;
    if (fs::is_regular_file(path)) {
        // Not every program that keeps such files gives them the ending.
        if (!beginsAsGguf(path))
            throwFileError(path, "file", "a GGUF file, or the directory of a model", "something else");
        return path;
    }
    if (!fs::is_directory(path) || fs::exists(path / "config.json"))
        return std::nullopt;
    std::vector<fs::path> files;
    for (const auto &entry : fs::directory_iterator(path)) {
        const std::string name = toUtf8(entry.path().filename());
        const std::size_t part = name.rfind("-of-");
        const bool later = part != std::string::npos && part >= 5 && name.substr(part - 5, 5) != "00001";
        if (isGguf(entry.path()) && !later)
            files.push_back(entry.path());
    }
    if (files.empty())
        return std::nullopt;
    if (files.size() > 1)
        throw Error(fmt::format("{}: expected one model, found {} GGUF files: choose one of them",
                                toUtf8(path), files.size()));
    return files.front();
}

fs::path tokenizerFile(const fs::path &directory)
{
    const fs::path file = directory / "tokenizer.json";
    if (!fs::exists(file))
        throw Error(
            fmt::format("{}: expected tokenizer.json, found none (take a version of the model with it, "
                        "or a GGUF file)",
                        toUtf8(directory)));
    return file;
}

ModelFiles openModelFiles(const fs::path &path)
{
    const auto gguf = ggufFile(path);
    ModelFiles files = gguf ? openGguf(*gguf) : openHub(path);
    const auto advice = authorsAdvice(files.name);
    if (advice && files.generation.sampling == SamplingParameters()) // the files say nothing
        files.generation.sampling = advice->sampling;
    const auto known = static_cast<std::int64_t>(files.tokenizer.vocabulary()->size());
    if (known > files.config.vocabSize)
        throwFileError(gguf ? *gguf : path / "tokenizer.json", "model.vocab",
                       fmt::format("ids below vocab_size ({})", files.config.vocabSize),
                       fmt::format("an id of {}", known - 1));
    return files;
}

WeightFiles openWeightFiles(const fs::path &path, GgufContents contents)
{
    if (const auto gguf = ggufFile(path)) {
        const auto model = std::make_shared<const GgufCheckpoint>(*gguf, contents);
        return {loadModelConfig(*model), model};
    }
    return {loadModelConfig(path / "config.json"), std::make_shared<const Checkpoint>(path)};
}

} // namespace bathyscope
