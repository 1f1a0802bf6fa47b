// SPDX-License-Identifier: GPL-3.0-or-later
//
// Command lines of the tools: options "--name value" and flags "--name".
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace bathyscope::app {

class Arguments {
public:
    /// What a command accepts. Throws Error for anything else, naming it.
    Arguments(const std::vector<std::string> &words, const std::set<std::string> &options,
              const std::set<std::string> &flags);

    [[nodiscard]] bool flag(const std::string &name) const { return m_flags.contains(name); }
    [[nodiscard]] std::optional<std::string> value(const std::string &name) const;
    [[nodiscard]] std::string require(const std::string &name) const;
    [[nodiscard]] std::int64_t integer(const std::string &name, std::int64_t fallback, std::int64_t low,
                                       std::int64_t high) const;
    [[nodiscard]] double number(const std::string &name, double fallback, double low, double high) const;
    /// Integers separated by commas.
    [[nodiscard]] std::vector<std::int64_t> integers(const std::string &name,
                                                     std::vector<std::int64_t> fallback) const;

private:
    std::map<std::string, std::string> m_values;
    std::set<std::string> m_flags;
};

/// Runs `body` and returns its exit code; prints an exception's text to standard error and returns 1.
int runTool(const char *name, int (*body)(const std::vector<std::string> &words), int argc, char **argv);

} // namespace bathyscope::app
