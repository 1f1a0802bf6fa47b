// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/records.h"

#include <optional>
#include <string_view>

namespace bathyscope {

/// How the authors of a family say that it is to be used, in their model cards.
struct AuthorsAdvice {
    SamplingParameters sampling;
    bool noSystemPrompt = false; ///< all instructions belong into the question
};

/// By the name of a model, as its files or its directory give it; none for a family that is not known.
std::optional<AuthorsAdvice> authorsAdvice(std::string_view name);

} // namespace bathyscope
