// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/tools/arguments.h"
#include "engine/session/backend.h"

namespace bathyscope::app {

/// --device and --threads.
LocalBackendOptions backendOptions(const Arguments &arguments);

/// A JSON array of token ids of the model's vocabulary, at least one and at most a context. Throws Error.
std::vector<TokenId> readIds(const std::string &file, const ModelInfo &model);

} // namespace bathyscope::app
