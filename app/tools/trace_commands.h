// SPDX-License-Identifier: GPL-3.0-or-later
//
// The commands of bathyscope-trace. Each takes the words after its name, prints to standard output, returns
// the exit code and throws Error for what is wrong.
#pragma once

#include <string>
#include <vector>

namespace bathyscope::app {

int traceTokenize(const std::vector<std::string> &words);
int traceRender(const std::vector<std::string> &words);
int traceLogits(const std::vector<std::string> &words);
int traceGenerate(const std::vector<std::string> &words);
int tracePlan(const std::vector<std::string> &words);
int traceConvert(const std::vector<std::string> &words);

} // namespace bathyscope::app
