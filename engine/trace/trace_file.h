// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/trace/trace_lines.h"

namespace bathyscope {

/// Throws Error unless the file's name ends as a format that writeTraceFile() knows.
void requireTraceFormat(const std::filesystem::path &path);

/// Writes a conversation as JSON Lines (.jsonl) or as tensors (.safetensors). Throws Error for another ending
/// and when the file cannot be written.
void writeTraceFile(const std::filesystem::path &path, std::span<const TracedMessage> messages);

} // namespace bathyscope
