// SPDX-License-Identifier: GPL-3.0-or-later
#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/text/tokenizer/regex.h"

#include "engine/error.h"
#include "engine/limits.h"

#include <array>
#include <fmt/format.h>
#include <pcre2.h>

namespace bathyscope {

namespace {

/// Unicode's White_Space: PCRE2's own `\s` counts U+180E too, Oniguruma's does not.
constexpr std::string_view whiteSpace =
    "\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";

[[noreturn]] void fail(const std::string &pattern, const std::string &why)
{
    throw Error(fmt::format("regular expression \"{}\": {}", pattern, why));
}

std::string errorText(int code)
{
    std::array<PCRE2_UCHAR, 256> buffer{};
    pcre2_get_error_message(code, buffer.data(), buffer.size());
    return {reinterpret_cast<const char *>(buffer.data())};
}

/// Rewrites what Oniguruma and PCRE2 understand differently; refuses what has no simple counterpart.
std::string translated(const std::string &pattern)
{
    std::string result;
    bool inClass = false;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        const char next = i + 1 < pattern.size() ? pattern[i + 1] : '\0';
        if (c == '\\') {
            ++i;
            if (next == 's') {
                result += inClass ? std::string(whiteSpace) : fmt::format("[{}]", whiteSpace);
            } else if (next == 'S' && !inClass) {
                result += fmt::format("[^{}]", whiteSpace);
            } else if (next == 'h' || next == 'H') {
                fail(pattern, fmt::format("\\{} (a hexadecimal digit) is not supported", next));
            } else {
                result += c;
                if (next != '\0') {
                    result += next;
                }
            }
            continue;
        }
        if (inClass && ((c == '&' && next == '&') || (c == '[' && next != ':'))) {
            fail(pattern, "nested character classes are not supported");
        }
        if (c == '[') {
            inClass = true;
        } else if (c == ']') {
            inClass = false;
        }
        result += c;
    }
    return result;
}

} // namespace

struct Regex::Impl {
    std::string pattern;
    std::unique_ptr<pcre2_code, decltype(&pcre2_code_free)> code{nullptr, &pcre2_code_free};
};

struct Regex::Scratch::Impl {
    std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data{
        pcre2_match_data_create(1, nullptr), &pcre2_match_data_free};
    std::unique_ptr<pcre2_match_context, decltype(&pcre2_match_context_free)> context{
        pcre2_match_context_create(nullptr), &pcre2_match_context_free};
    std::unique_ptr<pcre2_jit_stack, decltype(&pcre2_jit_stack_free)> stack{
        pcre2_jit_stack_create(32U << 10U, limits::maxRegexStackBytes, nullptr), &pcre2_jit_stack_free};
};

Regex::Scratch::Scratch()
    : m_impl(std::make_unique<Impl>())
{
    if (!m_impl->data || !m_impl->context) {
        throw std::bad_alloc();
    }
    pcre2_set_match_limit(m_impl->context.get(), limits::maxRegexSteps);
    pcre2_jit_stack_assign(m_impl->context.get(), nullptr, m_impl->stack.get());
}

Regex::Scratch::~Scratch() = default;

Regex::Regex(const std::string &pattern)
    : m_impl(std::make_unique<Impl>())
{
    if (pattern.size() > limits::maxPatternBytes) {
        fail(pattern.substr(0, 40) + "…", fmt::format("longer than {} bytes", limits::maxPatternBytes));
    }
    m_impl->pattern = pattern;
    const std::string source = translated(pattern);
    int error = 0;
    PCRE2_SIZE offset = 0;
    m_impl->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(source.data()), source.size(),
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                                     nullptr));
    if (!m_impl->code) {
        fail(pattern, errorText(error));
    }
    // Without a just-in-time compiler (some processors have none) matching is slower, not different.
    pcre2_jit_compile(m_impl->code.get(), PCRE2_JIT_COMPLETE);
}

Regex::Regex(Regex &&) noexcept = default;
Regex &Regex::operator=(Regex &&) noexcept = default;
Regex::~Regex() = default;

std::optional<Regex::Range> Regex::find(std::string_view text, std::size_t from, Scratch &scratch) const
{
    // The text was validated once for all matches: checking it here again would cost its whole length.
    const auto match = [&](std::uint32_t options) {
        return pcre2_match(m_impl->code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                           options | PCRE2_NO_UTF_CHECK, scratch.m_impl->data.get(),
                           scratch.m_impl->context.get());
    };
    int result = match(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) {
        result = match(PCRE2_NO_JIT);
    }
    if (result == PCRE2_ERROR_NOMATCH) {
        return std::nullopt;
    }
    if (result < 0) {
        fail(m_impl->pattern, errorText(result));
    }
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(scratch.m_impl->data.get());
    return Range{ends[0], ends[1]};
}

} // namespace bathyscope
