// SPDX-License-Identifier: GPL-3.0-or-later
//
// How fast text is tokenised: ordinary text, and text made to be slow. One core, 1 MiB each.
#include "engine/text/tokenizer.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace {

constexpr std::size_t size = 1U << 20U;

std::string filledWith(const std::string &part)
{
    std::string text;
    while (text.size() < size) {
        text += part;
    }
    return text;
}

std::string prose()
{
    std::string text;
    for (std::uint32_t number = 1; text.size() < size; number = number * 1664525U + 1013904223U) {
        text += "What is " + std::to_string(number % 10'000) + " times the tw" + std::to_string(number % 97)
            + "lfth of it, and isn't that {odd}?\n";
    }
    return text;
}

} // namespace

int main(int argc, char **argv)
{
    using Clock = std::chrono::steady_clock;
    const std::string file = argc > 1 ? argv[1] : BATHYSCOPE_BUILTIN_MODEL "/tokenizer.json";
    const auto tokenizer = bathyscope::Tokenizer::fromFile(file);
    const std::pair<const char *, std::string> cases[] = {
        {"prose", prose()},
        {"letters", filledWith("a")},
        {"spaces", filledWith(" ")},
        {"line ends", filledWith("\n")},
        {"digits", filledWith("7")},
        {"tag openings", filledWith("<")},
        {"Chinese", filledWith("深")},
    };
    for (const auto &[name, text] : cases) {
        const auto start = Clock::now();
        const auto ids = tokenizer.encode(text, bathyscope::AddedTokens::Recognise);
        const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
        std::printf("%-14s %8.1f MB/s  %8zu tokens\n", name, static_cast<double>(text.size()) / 1e6 / seconds,
                    ids.size());
    }
    return 0;
}
