// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include <bit>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace bathyscope {

/// Reads the parts of a GGUF file one after the other. Everything is checked against what is left of the
/// file; `what` names the part in the Error.
class GgufCursor {
public:
    GgufCursor(std::filesystem::path file, std::span<const std::byte> bytes)
        : m_file(std::move(file))
        , m_bytes(bytes)
    {
    }

    template <typename T>
    T number(const std::string &what)
    {
        static_assert(std::endian::native == std::endian::little, "numbers are used as stored");
        T result{};
        std::memcpy(&result, bytes(sizeof(T), what).data(), sizeof(T));
        return result;
    }

    /// A number of things that take at least `smallest` bytes each.
    std::uint64_t count(const std::string &what, std::uint64_t most, std::uint64_t smallest);

    /// A string; malformed UTF-8 in it is replaced.
    std::string text(const std::string &what);

    /// A metadata value: its type, then itself.
    nlohmann::json value(const std::string &what);

    std::string_view bytes(std::uint64_t count, const std::string &what);

    [[nodiscard]] std::uint64_t position() const { return m_position; }

    [[noreturn]] void fail(const std::string &what, const std::string &expected,
                           const std::string &found) const;

private:
    nlohmann::json typedValue(std::uint32_t type, const std::string &what);
    nlohmann::json array(const std::string &what);

    std::filesystem::path m_file;
    std::span<const std::byte> m_bytes;
    std::uint64_t m_position = 0;
};

} // namespace bathyscope
