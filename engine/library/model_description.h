// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a model is, read off its headers: no weights are loaded.
#pragma once

#include "engine/executor/memory_plan.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace bathyscope {

struct ModelDescription {
    std::string architecture; ///< `model_type`, or the name in a GGUF file that cannot run; empty: not known
    std::string dtype; ///< of most weights
    std::uint64_t parameters = 0;
    std::uint64_t activeParameters = 0; ///< used for one token
    std::int64_t fileBytes = 0; ///< of the weights' files
    std::int64_t activeBytes = 0; ///< of the weights that are read to write one token
    std::int32_t contextLength = 0; ///< tokens; the most that the model allows
    bool convertible = false; ///< convertToFp8() takes it
    std::shared_ptr<const ModelMemory> needs; ///< what planMemory() takes; none for one that cannot run
    std::string refusal; ///< why it cannot run, and what would; empty: it can
};

/// Reads and checks all that loading would, but for the values of the weights. A model that is damaged or not
/// understood has a refusal; nothing is thrown.
ModelDescription describeModel(const std::filesystem::path &path);

/// The type that most of a model's weights are stored in: "FP8", "BF16", "Q4_K".
std::string mainType(const ModelWeights &weights);

} // namespace bathyscope
