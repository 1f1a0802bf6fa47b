// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/tools/arguments.h"

#include "app/tools/console.h"
#include "engine/error.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdio>

namespace bathyscope::app {

namespace {

std::int64_t parseInteger(const std::string &name, const std::string &text, std::int64_t low,
                          std::int64_t high)
{
    std::int64_t value = 0;
    const char *end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || value < low || value > high)
        throw Error(
            fmt::format("{}: expected an integer from {} to {}, found \"{}\"", name, low, high, text));
    return value;
}

} // namespace

Arguments::Arguments(const std::vector<std::string> &words, const std::set<std::string> &options,
                     const std::set<std::string> &flags)
{
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string name = words[i];
        const std::size_t equals = name.find('=');
        if (flags.contains(name)) {
            m_flags.insert(name);
        } else if (equals != std::string::npos && options.contains(name.substr(0, equals))) {
            m_values[name.substr(0, equals)] = name.substr(equals + 1);
        } else if (options.contains(name)) {
            if (i + 1 == words.size())
                throw Error(fmt::format("{}: expected a value after it (see --help)", name));
            m_values[name] = words[++i];
        } else {
            throw Error(fmt::format("unknown option \"{}\" (see --help)", name));
        }
    }
}

std::optional<std::string> Arguments::value(const std::string &name) const
{
    const auto found = m_values.find(name);
    return found == m_values.end() ? std::nullopt : std::optional(found->second);
}

std::string Arguments::require(const std::string &name) const
{
    const auto found = value(name);
    if (!found)
        throw Error(fmt::format("{} is missing (see --help)", name));
    return *found;
}

std::int64_t Arguments::integer(const std::string &name, std::int64_t fallback, std::int64_t low,
                                std::int64_t high) const
{
    const auto text = value(name);
    return text ? parseInteger(name, *text, low, high) : fallback;
}

double Arguments::number(const std::string &name, double fallback, double low, double high) const
{
    const auto text = value(name);
    if (!text)
        return fallback;
    double number = 0;
    const char *end = text->data() + text->size();
    const auto [rest, error] = std::from_chars(text->data(), end, number);
    if (error != std::errc() || rest != end || !(number >= low && number <= high))
        throw Error(fmt::format("{}: expected a number from {} to {}, found \"{}\"", name, low, high, *text));
    return number;
}

std::vector<std::int64_t> Arguments::integers(const std::string &name,
                                              std::vector<std::int64_t> fallback) const
{
    const auto text = value(name);
    if (!text)
        return fallback;
    std::vector<std::int64_t> list;
    for (std::size_t begin = 0; begin <= text->size();) {
        const std::size_t end = std::min(text->find(',', begin), text->size());
        list.push_back(parseInteger(name, text->substr(begin, end - begin), 0, INT32_MAX));
        begin = end + 1;
    }
    return list;
}

int runTool(const char *name, int (*body)(const std::vector<std::string> &words), int argc, char **argv)
{
    try {
        return body(openConsole(argc, argv));
    } catch (const std::exception &error) {
        fmt::print(stderr, "{}: {}\n", name, error.what());
        return 1;
    }
}

} // namespace bathyscope::app
