// SPDX-License-Identifier: GPL-3.0-or-later
//
// Traces for tools: the records of replies as tensors.
#pragma once

#include "engine/trace/trace_lines.h"

namespace bathyscope {

/// Writes a safetensors file with the replies among `messages`; N counts them from 0:
///
///   reply.N.ids, .section      I32 [tokens]      section: 0 reasoning, 1 answer, 2 marker
///   reply.N.logprobs, .rest    F32 [tokens]      natural logarithm; probability outside of `top`
///   reply.N.top.ids            I32 [tokens, candidates]
///   reply.N.top.logprobs       F32 [tokens, candidates]
///   reply.N.router.layers      I32 [layers]      indices of the MoE layers
///   reply.N.router.ids         I32 [tokens, layers, top_k]
///   reply.N.router.weights     F32 [tokens, layers, top_k]
///
/// Where a token was not traced its ids are -1 and its numbers NaN; what no token of a reply has is left
/// out. Throws Error when the file cannot be written.
void writeTraceTensors(const std::filesystem::path &path, std::span<const TracedMessage> messages);

} // namespace bathyscope
