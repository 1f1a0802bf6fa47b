// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/arguments.h"
#include "app/tools/trace_commands.h"
#include "engine/error.h"
#include "engine/library/fp8_conversion.h"

namespace bathyscope::app {

int traceConvert(const std::vector<std::string> &words)
{
    const Arguments arguments(words, {"--model", "--out", "--threads"}, {});
    convertToFp8(fromUtf8(arguments.require("--model")), fromUtf8(arguments.require("--out")),
                 static_cast<int>(arguments.integer("--threads", 0, 0, 1024)), {});
    return 0;
}

} // namespace bathyscope::app
