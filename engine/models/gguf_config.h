// SPDX-License-Identifier: GPL-3.0-or-later
//
// GGUF metadata (ggml, docs/gguf.md) in the words of the hub, so that one reader checks both.
#pragma once

#include "engine/checkpoint/gguf_checkpoint.h"
#include "engine/models/model_config.h"

namespace bathyscope {

/// Hyperparameters of a GGUF model. Throws Error naming the file and the key.
ModelConfig loadModelConfig(const GgufCheckpoint &model);

/// Sampling defaults (`general.sampling.*`) and the ids that end a turn.
GenerationConfig loadGenerationConfig(const GgufCheckpoint &model);

} // namespace bathyscope
