// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "engine/text/jinja/library.h"

#include <fmt/chrono.h>

#include <string_view>

namespace bathyscope::jinja {

namespace {

// The system's strftime() knows those of C89 alone, and ends the program at others: fmt writes these itself.
constexpr std::string_view conversions = "aAbBcCdDeFgGhHIjmMnpRrStTuUVwWxXyY";

} // namespace

std::string formatLocalTime(std::time_t time, const std::string &format)
{
    std::tm parts{};
    localtime_s(&parts, &time);
    std::string text;
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%' || i + 1 == format.size()) {
            text += format[i];
            continue;
        }
        const char conversion = format[++i];
        if (conversions.find(conversion) != std::string_view::npos)
            text += fmt::format(fmt::runtime(std::string("{:%") + conversion + '}'), parts);
        else
            text += conversion == '%' ? "%" : std::string("%") + conversion;
    }
    return text;
}

} // namespace bathyscope::jinja

#endif
