// SPDX-License-Identifier: GPL-3.0-or-later
//
// bathyscope-trace: what the engine computes, as files and lines that other programs can read.
#include "app/tools/arguments.h"
#include "app/tools/tool_io.h"
#include "app/tools/trace_commands.h"
#include "engine/error.h"

#include <fmt/format.h>

#include <cstdio>

namespace {

constexpr const char *help = R"(usage: bathyscope-trace COMMAND [OPTIONS]

  tokenize --model DIR --text-file F [--plain]
      Prints the ids of a text as a JSON array. Special tokens in the text are recognised; --plain takes
      them as ordinary text.

  render --template F.jinja --input F.json
      Prints a rendered prompt. The input holds "messages" and every other variable of the template.

  logits --model DIR --ids F.json --out F.safetensors [--hidden]
      Writes logits, router.L.ids (ascending), router.L.weights, mtp_logits where the model has the layer,
      and hidden.L with --hidden.

  generate [--model DIR] (--prompt TEXT | --ids F.json) [--system TEXT] [--temperature T] [--max-tokens N]
           [--seed S] [--inspect] [--out F]
      Prints one JSON line a token, with --inspect also its 20 best candidates and its experts, and a last
      line about the whole reply. --out writes the trace to a file too: F.jsonl or F.safetensors. Without --model it uses the built-in one; without --temperature the
      model's own sampling settings.

  plan [--model DIR]
      Prints the devices of this machine with their memory, and what the model would take of them.

  convert --model DIR --out DIR [--threads N]
      Writes a copy of a model in F32, F16 or BF16 whose projections are FP8 blocks.

  --help, --version
)";

int run(const std::vector<std::string> &words)
{
    const std::string command = words.empty() ? "--help" : words.front();
    const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
    if (command == "--help" || command == "-h") {
        fmt::print("{}{}", help, bathyscope::app::backendHelp);
        return words.empty() ? 2 : 0;
    }
    if (command == "--version") {
        fmt::print("bathyscope-trace {}\n", BATHYSCOPE_VERSION);
        return 0;
    }
    if (command == "tokenize")
        return bathyscope::app::traceTokenize(rest);
    if (command == "render")
        return bathyscope::app::traceRender(rest);
    if (command == "logits")
        return bathyscope::app::traceLogits(rest);
    if (command == "generate")
        return bathyscope::app::traceGenerate(rest);
    if (command == "plan")
        return bathyscope::app::tracePlan(rest);
    if (command == "convert")
        return bathyscope::app::traceConvert(rest);
    throw bathyscope::Error(fmt::format("unknown command \"{}\" (see --help)", command));
}

} // namespace

int main(int argc, char **argv)
{
    return bathyscope::app::runTool("bathyscope-trace", run, argc, argv);
}
