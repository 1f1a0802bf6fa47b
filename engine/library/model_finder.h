// SPDX-License-Identifier: GPL-3.0-or-later
//
// Models that lie on this machine, found by the layouts that programs keep them in. Nothing is changed there.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bathyscope {

/// A model that may be opened; whether it can, describeModel() tells.
struct FoundModel {
    std::filesystem::path path; ///< what openLocalBackend() takes: a directory or a file
    std::string title; ///< for people

    bool operator==(const FoundModel &) const = default;
};

/// A name for people: without the number of a part, and without the commit that a hub cache names its
/// folders by.
std::string modelTitle(const std::filesystem::path &path);

/// Models in a folder and those below it: directories with config.json and weights, and GGUF files, the parts
/// of a split one counted once. In the order of their paths. Folders that cannot be read hold none.
std::vector<FoundModel> findModels(const std::filesystem::path &folder);

/// Those of a cache in the layout of huggingface_hub (`models--OWNER--NAME/snapshots/COMMIT`): the commits
/// that a ref points to, else all.
std::vector<FoundModel> findHubModels(const std::filesystem::path &cache);

/// Those of Ollama: `manifests/HOST/OWNER/NAME/TAG` names a blob that is a GGUF file.
std::vector<FoundModel> findOllamaModels(const std::filesystem::path &folder);

} // namespace bathyscope
