// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bathyscope {

/// A regular expression in the syntax of tokenizer.json (Oniguruma's, as far as published patterns go),
/// compiled once by PCRE2 with Unicode properties. Shared between threads.
class Regex {
public:
    struct Range {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    /// Throws Error saying where the pattern is wrong.
    explicit Regex(const std::string &pattern);
    Regex(Regex &&) noexcept;
    Regex &operator=(Regex &&) noexcept;
    ~Regex();

    /// What matching needs for itself; one for each thread, reused from match to match.
    class Scratch {
    public:
        Scratch();
        ~Scratch();
        Scratch(const Scratch &) = delete;
        Scratch &operator=(const Scratch &) = delete;

    private:
        friend class Regex;
        struct Impl;
        std::unique_ptr<Impl> m_impl;
    };

    /// The leftmost match at or after byte `from` of well-formed UTF-8 `text`. Throws Error when the
    /// search exceeds limits::maxRegexSteps.
    [[nodiscard]] std::optional<Range> find(std::string_view text, std::size_t from, Scratch &scratch) const;

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

} // namespace bathyscope
