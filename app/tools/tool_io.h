// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/tools/arguments.h"
#include "engine/session/backend.h"

namespace bathyscope::app {

/// What every command that loads a model takes: names of options, of flags, and their help.
std::set<std::string> withBackendOptions(std::set<std::string> options);
std::set<std::string> withBackendFlags(std::set<std::string> flags);
inline constexpr const char *backendHelp = R"(
  Where a model runs, for every command that loads one:
  --device D           auto (default), cpu, cuda (as many GPUs as it takes), cuda:0, …
  --threads N          threads of the CPU; 0: one for each core
  --context N          tokens that the cache holds; 0: what the model allows and the memory holds
  --quantise           on a GPU: weights become FP8 blocks while they are loaded
  --bf16-activations   on a GPU: activations stay in BF16
  --host-experts       routed experts that do not fit on the GPUs are computed by the CPU
)";
LocalBackendOptions backendOptions(const Arguments &arguments);

/// A JSON array of token ids of the model's vocabulary, at least one and at most a context. Throws Error.
std::vector<TokenId> readIds(const std::string &file, const ModelInfo &model);

} // namespace bathyscope::app
