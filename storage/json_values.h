// SPDX-License-Identifier: GPL-3.0-or-later
//
// Small values as JSON text, which a later version can extend: what is missing has its default.
#pragma once

#include "engine/records.h"

#include <string>
#include <string_view>

namespace bathyscope::storage {

std::string toJson(const SamplingParameters &value);
std::string toJson(const GenerationSummary &value);
std::string toJson(const ModelInfo &value); ///< without the vocabulary

/// Throw Error for text that is no such value.
void fromJson(std::string_view text, SamplingParameters &value);
void fromJson(std::string_view text, GenerationSummary &value);
void fromJson(std::string_view text, ModelInfo &value);

} // namespace bathyscope::storage
