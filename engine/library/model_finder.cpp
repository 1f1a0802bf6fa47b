// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/library/model_finder.h"

#include "engine/error.h"
#include "engine/json_file.h"
#include "engine/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

namespace bathyscope {

namespace {

namespace fs = std::filesystem;

/// Entries of a folder in the order of their names; empty where it cannot be read.
std::vector<fs::directory_entry> entriesOf(const fs::path &folder)
{
    std::vector<fs::directory_entry> entries;
    std::error_code error;
    fs::directory_iterator it(folder, fs::directory_options::skip_permission_denied, error);
    for (; !error && it != fs::directory_iterator() && entries.size() < limits::maxLibraryEntries;
         it.increment(error))
        entries.push_back(*it);
    std::sort(entries.begin(), entries.end());
    return entries;
}

/// "x" of "x-00002-of-00003" with the number 2; none for the name of a whole model.
struct PartName {
    std::string model;
    int number;
};
std::optional<PartName> partName(const std::string &stem)
{
    constexpr std::size_t length = 15; // "-00001-of-00003"
    if (stem.size() <= length)
        return std::nullopt;
    const std::string ending = stem.substr(stem.size() - length);
    const std::string digits = ending.substr(1, 5) + ending.substr(10);
    if (ending[0] != '-' || ending.substr(6, 4) != "-of-"
        || !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return std::nullopt;
    return PartName{stem.substr(0, stem.size() - length), std::stoi(ending.substr(1, 5))};
}

class Search {
public:
    void visit(const fs::path &folder, int depth)
    {
        const std::vector<fs::directory_entry> entries = entriesOf(folder);
        m_seen += entries.size();
        if (holdsHubModel(entries))
            add(folder);
        std::error_code ignored;
        for (const fs::directory_entry &entry : entries) {
            if (m_seen > limits::maxLibraryEntries || m_found.size() >= limits::maxLibraryModels)
                return;
            const std::string name = toUtf8(entry.path().filename());
            if (entry.is_regular_file(ignored) && isModelFile(entry.path()))
                add(entry.path());
            // Links to folders are not followed: they may lead in a circle.
            if (depth < limits::maxLibraryDepth && !name.starts_with('.') && !entry.is_symlink(ignored)
                && entry.is_directory(ignored))
                visit(entry.path(), depth + 1);
        }
    }

    std::vector<FoundModel> take() { return std::move(m_found); }

private:
    static bool holdsHubModel(const std::vector<fs::directory_entry> &entries)
    {
        bool config = false;
        bool weights = false;
        for (const fs::directory_entry &entry : entries) {
            const std::string name = toUtf8(entry.path().filename());
            config = config || name == "config.json";
            weights = weights || name.ends_with(".safetensors") || name == "model.safetensors.index.json"
                || (name.starts_with("pytorch_model") && name.ends_with(".bin"));
        }
        return config && weights;
    }

    static bool isModelFile(const fs::path &file)
    {
        const std::string name = toUtf8(file.filename());
        if (file.extension() != ".gguf" || name.starts_with("mmproj")) // what a model sees with is no model
            return false;
        const auto part = partName(toUtf8(file.stem()));
        return !part || part->number == 1;
    }

    void add(const fs::path &path) { m_found.push_back({path, modelTitle(path)}); }

    std::vector<FoundModel> m_found;
    std::size_t m_seen = 0;
};

/// The commits that a repository's refs name.
std::set<std::string> commitsOf(const fs::path &repository)
{
    std::set<std::string> commits;
    for (const fs::directory_entry &entry : entriesOf(repository / "refs")) {
        std::error_code error;
        if (!entry.is_regular_file(error) || entry.file_size(error) > 64 || error)
            continue;
        std::string commit = readTextFile(entry.path());
        commit.erase(commit.find_last_not_of(" \r\n") + 1);
        commits.insert(commit);
    }
    return commits;
}

bool isDigest(const std::string &text)
{
    const std::string prefix = "sha256:";
    return text.size() == prefix.size() + 64 && text.starts_with(prefix)
        && text.find_first_not_of("0123456789abcdef", prefix.size()) == std::string::npos;
}

/// The model among the layers of a manifest; none where there is no such file.
std::optional<fs::path> ollamaModel(const fs::path &manifest, const fs::path &blobs)
{
    const nlohmann::json object = readJsonFile(manifest);
    const auto layers = object.find("layers");
    if (layers == object.end() || !layers->is_array())
        return std::nullopt;
    for (const nlohmann::json &layer : *layers) {
        const bool model = layer.is_object() && layer.contains("mediaType")
            && layer["mediaType"] == "application/vnd.ollama.image.model" && layer.contains("digest")
            && layer["digest"].is_string();
        if (!model || !isDigest(layer["digest"].get<std::string>()))
            continue;
        const fs::path blob = blobs / ("sha256-" + layer["digest"].get<std::string>().substr(7));
        if (fs::exists(blob))
            return blob;
    }
    return std::nullopt;
}

void collectManifests(const fs::path &folder, int depth, std::vector<fs::path> &manifests)
{
    for (const fs::directory_entry &entry : entriesOf(folder)) {
        std::error_code ignored;
        if (depth == 3 && entry.is_regular_file(ignored) && manifests.size() < limits::maxLibraryModels)
            manifests.push_back(entry.path());
        else if (depth < 3 && entry.is_directory(ignored))
            collectManifests(entry.path(), depth + 1, manifests);
    }
}

} // namespace

std::string modelTitle(const fs::path &path)
{
    const fs::path last = path.filename().empty() ? path.parent_path() : path;
    if (last.extension() == ".gguf") {
        const std::string stem = toUtf8(last.stem());
        const auto part = partName(stem);
        return part ? part->model : stem;
    }
    const fs::path snapshots = last.parent_path();
    const std::string repository = toUtf8(snapshots.parent_path().filename());
    if (snapshots.filename() == "snapshots" && repository.starts_with("models--"))
        return repository.substr(repository.rfind("--") + 2);
    return toUtf8(last.filename());
}

std::vector<FoundModel> findModels(const fs::path &folder)
{
    Search search;
    search.visit(folder, 0);
    return search.take();
}

std::vector<FoundModel> findHubModels(const fs::path &cache)
{
    Search search;
    for (const fs::directory_entry &repository : entriesOf(cache)) {
        if (!toUtf8(repository.path().filename()).starts_with("models--"))
            continue;
        const std::set<std::string> commits = commitsOf(repository.path());
        for (const fs::directory_entry &snapshot : entriesOf(repository.path() / "snapshots"))
            if (commits.empty() || commits.contains(toUtf8(snapshot.path().filename())))
                search.visit(snapshot.path(), limits::maxLibraryDepth - 2);
    }
    return search.take();
}

std::vector<FoundModel> findOllamaModels(const fs::path &folder)
{
    std::vector<fs::path> manifests;
    collectManifests(folder / "manifests", 0, manifests);
    std::vector<FoundModel> found;
    for (const fs::path &manifest : manifests) {
        try {
            if (const auto blob = ollamaModel(manifest, folder / "blobs"))
                found.push_back({*blob,
                                 fmt::format("{}:{}", toUtf8(manifest.parent_path().filename()),
                                             toUtf8(manifest.filename()))});
        } catch (const Error &) {
            continue; // not a manifest: nothing to be listed
        }
    }
    return found;
}

} // namespace bathyscope
