// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace bathyscope {

/// Typed access to a config.json. Every failure is an Error naming file, key, expected and found; nothing
/// is guessed. `null` counts as absent.
class ConfigReader {
public:
    ConfigReader(const nlohmann::json &object, std::filesystem::path file, std::string prefix = {});

    [[nodiscard]] bool has(const std::string &key) const;

    /// An integer within [low, high].
    [[nodiscard]] std::int64_t integer(const std::string &key, std::int64_t low, std::int64_t high) const;
    [[nodiscard]] std::int64_t integerOr(const std::string &key, std::int64_t fallback, std::int64_t low,
                                         std::int64_t high) const;
    /// A finite number within [low, high].
    [[nodiscard]] double number(const std::string &key, double low, double high) const;
    [[nodiscard]] double numberOr(const std::string &key, double fallback, double low, double high) const;
    [[nodiscard]] std::int32_t
    width(const std::string &key) const; ///< a size of vectors: 1 … limits::maxWidth
    [[nodiscard]] bool booleanOr(const std::string &key, bool fallback) const;
    [[nodiscard]] std::string text(const std::string &key) const;
    [[nodiscard]] std::string textOr(const std::string &key, const std::string &fallback) const;
    /// The object under `key`; none when absent.
    [[nodiscard]] std::optional<ConfigReader> object(const std::string &key) const;
    /// An integer or a list of integers, each within [low, high]; empty when absent.
    [[nodiscard]] std::vector<std::int32_t> integers(const std::string &key, std::int64_t low,
                                                     std::int64_t high) const;
    /// The same for token ids, within [0, vocabulary).
    [[nodiscard]] std::vector<std::int32_t> tokenIds(const std::string &key, std::int64_t vocabulary) const;

    /// Checks that the value, if there, is the only one that is known.
    void requireText(const std::string &key, const std::string &only) const;
    void requireFalse(const std::string &key) const;

    /// Checks that a list [edge, edge], if there, is what the kernels know.
    void requireBlock(const std::string &key, std::int64_t edge) const;

    [[noreturn]] void fail(const std::string &key, const std::string &expected) const;
    [[noreturn]] void fail(const std::string &key, const std::string &expected,
                           const std::string &found) const;

private:
    [[nodiscard]] const nlohmann::json &value(const std::string &key, const char *expected) const;

    const nlohmann::json *m_object;
    std::filesystem::path m_file;
    std::string m_prefix;
};

} // namespace bathyscope
