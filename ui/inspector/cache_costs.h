// SPDX-License-Identifier: GPL-3.0-or-later
//
// What attention keeps of a token, and what other kinds of attention with the same heads would keep
// (DeepSeek-V2, table 1, there in elements with one head size for keys and values).
#pragma once

#include "engine/records.h"

#include <cstdint>

namespace bathyscope::ui {

/// All in values of one token and one layer. Derived from the model's shape.
struct CacheWidths {
    std::int64_t held = 0; ///< latent attention: kv_lora_rank + qk_rope_head_dim; else keys and values
    std::int64_t multiHead = 0; ///< heads · (key + value)
    std::int64_t grouped = 0; ///< groups · (key + value)
    int groups = 0; ///< heads of keys and values in the comparison with grouped queries
};

/// Zeros for a shape that is not known. The comparison takes the model's own groups, or, of latent attention,
/// the largest number up to 8 that divides the heads and is less: 8 is what most models of that kind have.
CacheWidths cacheWidths(const AttentionShape &shape);

/// Bytes of one value in the cache; 0 when it cannot be told.
double bytesPerValue(const ModelInfo &model);

/// Tokens for which the device has memory beside the weights; 0 for one that does not tell its memory.
std::int64_t tokensThatFit(const ModelInfo &model, double bytesPerToken);

} // namespace bathyscope::ui
