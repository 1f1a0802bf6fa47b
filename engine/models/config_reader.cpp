// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/models/config_reader.h"

#include "engine/error.h"
#include "engine/limits.h"

#include <fmt/format.h>

#include <cmath>

namespace bathyscope {

using nlohmann::json;

ConfigReader::ConfigReader(const json &object, std::filesystem::path file, std::string prefix)
    : m_object(&object)
    , m_file(std::move(file))
    , m_prefix(std::move(prefix))
{
}

bool ConfigReader::has(const std::string &key) const
{
    const auto found = m_object->find(key);
    return found != m_object->end() && !found->is_null();
}

void ConfigReader::fail(const std::string &key, const std::string &expected) const
{
    fail(key, expected,
         has(key) ? m_object->at(key).dump(-1, ' ', false, json::error_handler_t::replace) : "nothing");
}

void ConfigReader::fail(const std::string &key, const std::string &expected, const std::string &found) const
{
    throwFileError(m_file, m_prefix + key, expected, found);
}

const json &ConfigReader::value(const std::string &key, const char *expected) const
{
    if (!has(key))
        fail(key, expected);
    return m_object->at(key);
}

std::int64_t ConfigReader::integer(const std::string &key, std::int64_t low, std::int64_t high) const
{
    const std::string expected = fmt::format("an integer from {} to {}", low, high);
    const json &v = value(key, expected.c_str());
    if (!v.is_number_integer()
        || (v.is_number_unsigned() && v.get<std::uint64_t>() > std::uint64_t(INT64_MAX)))
        fail(key, expected);
    const auto number = v.get<std::int64_t>();
    if (number < low || number > high)
        fail(key, expected);
    return number;
}

std::int64_t ConfigReader::integerOr(const std::string &key, std::int64_t fallback, std::int64_t low,
                                     std::int64_t high) const
{
    return has(key) ? integer(key, low, high) : fallback;
}

double ConfigReader::number(const std::string &key, double low, double high) const
{
    const std::string expected = fmt::format("a number from {} to {}", low, high);
    const json &v = value(key, expected.c_str());
    if (!v.is_number())
        fail(key, expected);
    const auto number = v.get<double>();
    if (!(number >= low && number <= high))
        fail(key, expected);
    return number;
}

double ConfigReader::numberOr(const std::string &key, double fallback, double low, double high) const
{
    return has(key) ? number(key, low, high) : fallback;
}

bool ConfigReader::booleanOr(const std::string &key, bool fallback) const
{
    if (!has(key))
        return fallback;
    const json &v = m_object->at(key);
    if (!v.is_boolean())
        fail(key, "true or false");
    return v.get<bool>();
}

std::string ConfigReader::text(const std::string &key) const
{
    const json &v = value(key, "a string");
    if (!v.is_string())
        fail(key, "a string");
    return v.get<std::string>();
}

std::string ConfigReader::textOr(const std::string &key, const std::string &fallback) const
{
    return has(key) ? text(key) : fallback;
}

std::optional<ConfigReader> ConfigReader::object(const std::string &key) const
{
    if (!has(key))
        return std::nullopt;
    const json &v = m_object->at(key);
    if (!v.is_object())
        fail(key, "an object");
    return ConfigReader(v, m_file, m_prefix + key + ".");
}

std::int32_t ConfigReader::width(const std::string &key) const
{
    return static_cast<std::int32_t>(integer(key, 1, limits::maxWidth));
}

void ConfigReader::requireText(const std::string &key, const std::string &only) const
{
    if (textOr(key, only) != only)
        fail(key, '"' + only + '"');
}

void ConfigReader::requireFalse(const std::string &key) const
{
    if (booleanOr(key, false))
        fail(key, "false");
}

void ConfigReader::requireBlock(const std::string &key, std::int64_t edge) const
{
    if (has(key) && m_object->at(key) != json::array({edge, edge}))
        fail(key, fmt::format("[{}, {}]", edge, edge));
}

std::vector<std::int32_t> ConfigReader::integers(const std::string &key, std::int64_t low,
                                                 std::int64_t high) const
{
    if (!has(key))
        return {};
    const json &v = m_object->at(key);
    std::vector<std::int32_t> numbers;
    for (const json &entry : v.is_array() ? v : json::array({v})) {
        if (!entry.is_number_integer() || entry < low || entry > high)
            fail(key, fmt::format("integers from {} to {}", low, high));
        numbers.push_back(entry.get<std::int32_t>());
    }
    return numbers;
}

std::vector<std::int32_t> ConfigReader::tokenIds(const std::string &key, std::int64_t vocabulary) const
{
    return integers(key, 0, vocabulary - 1);
}

} // namespace bathyscope
