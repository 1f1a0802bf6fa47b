// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/trace/trace_file.h"

#include "engine/error.h"
#include "engine/trace/trace_tensors.h"

#include <fmt/format.h>

namespace bathyscope {

void requireTraceFormat(const std::filesystem::path &path)
{
    if (path.extension() != ".jsonl" && path.extension() != ".safetensors")
        throw Error(fmt::format("{}: expected a name ending in .jsonl or .safetensors", toUtf8(path)));
}

void writeTraceFile(const std::filesystem::path &path, std::span<const TracedMessage> messages)
{
    requireTraceFormat(path);
    if (path.extension() == ".jsonl")
        writeTraceLines(path, messages);
    else
        writeTraceTensors(path, messages);
}

} // namespace bathyscope
