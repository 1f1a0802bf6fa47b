// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/checkpoint/gguf_cursor.h"

#include "engine/error.h"
#include "engine/limits.h"
#include "engine/text/tokenizer/utf8.h"

#include <fmt/format.h>

namespace bathyscope {

namespace {

/// enum gguf_metadata_value_type of the format's description.
enum ValueType : std::uint32_t {
    Uint8,
    Int8,
    Uint16,
    Int16,
    Uint32,
    Int32,
    Float32,
    Bool,
    String,
    Array,
    Uint64,
    Int64,
    Float64
};

/// The least that a value of a type takes; 0 for a type that is not known.
std::uint64_t smallestSize(std::uint32_t type)
{
    constexpr std::uint64_t sizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 8, 0, 8, 8, 8};
    return type < std::size(sizes) ? sizes[type] : 0;
}

} // namespace

void GgufCursor::fail(const std::string &what, const std::string &expected, const std::string &found) const
{
    throwFileError(m_file, utf8::sanitised(what), expected, found);
}

std::string_view GgufCursor::bytes(std::uint64_t count, const std::string &what)
{
    const std::uint64_t left = m_bytes.size() - m_position;
    if (count > left)
        fail(what, fmt::format("{} more bytes", count), fmt::format("{} (is the file truncated?)", left));
    const auto *begin = reinterpret_cast<const char *>(m_bytes.data() + m_position);
    m_position += count;
    return {begin, static_cast<std::size_t>(count)};
}

std::uint64_t GgufCursor::count(const std::string &what, std::uint64_t most, std::uint64_t smallest)
{
    const auto count = number<std::uint64_t>(what);
    const std::uint64_t left = (m_bytes.size() - m_position) / smallest;
    if (count > most || count > left)
        fail(what, fmt::format("at most {}", std::min(most, left)), fmt::format("{}", count));
    return count;
}

std::string GgufCursor::text(const std::string &what)
{
    return utf8::sanitised(bytes(count(what, limits::maxGgufText, 1), what));
}

nlohmann::json GgufCursor::value(const std::string &what)
{
    const auto type = number<std::uint32_t>(what);
    return type == Array ? array(what) : typedValue(type, what);
}

nlohmann::json GgufCursor::array(const std::string &what)
{
    const auto type = number<std::uint32_t>(what);
    const std::uint64_t size = smallestSize(type);
    if (size == 0)
        fail(what, "an array of numbers or strings", fmt::format("type {}", type));
    const std::uint64_t n = count(what, limits::maxGgufArray, size);
    nlohmann::json values = nlohmann::json::array();
    values.get_ref<nlohmann::json::array_t &>().reserve(static_cast<std::size_t>(n));
    for (std::uint64_t i = 0; i < n; ++i)
        values.push_back(typedValue(type, what));
    return values;
}

nlohmann::json GgufCursor::typedValue(std::uint32_t type, const std::string &what)
{
    switch (type) {
    case Uint8:
        return number<std::uint8_t>(what);
    case Int8:
        return number<std::int8_t>(what);
    case Uint16:
        return number<std::uint16_t>(what);
    case Int16:
        return number<std::int16_t>(what);
    case Uint32:
        return number<std::uint32_t>(what);
    case Int32:
        return number<std::int32_t>(what);
    case Float32:
        return number<float>(what);
    case Bool:
        return number<std::uint8_t>(what) != 0;
    case String:
        return text(what);
    case Uint64:
        return number<std::uint64_t>(what);
    case Int64:
        return number<std::int64_t>(what);
    case Float64:
        return number<double>(what);
    default:
        fail(what, "a known type of value", fmt::format("number {}", type));
    }
}

} // namespace bathyscope
