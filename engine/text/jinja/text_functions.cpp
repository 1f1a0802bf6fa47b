// SPDX-License-Identifier: GPL-3.0-or-later
//
// What filters and methods do to strings in common. Changes of case are for ASCII letters only.
#include "engine/limits.h"
#include "engine/text/jinja/library.h"

#include <algorithm>

namespace bathyscope::jinja {

namespace {

char upper(char c)
{
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}
char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

Text upperCased(const Text &text)
{
    return text.mapped(upper);
}

Text lowerCased(const Text &text)
{
    return text.mapped(lower);
}

Text capitalised(const Text &text)
{
    return titleCased(text, {});
}

Text titleCased(const Text &text, std::string_view breaks)
{
    bool first = true;
    return text.mapped([&](char c) {
        const char changed = first ? upper(c) : lower(c);
        first = breaks.find(c) != std::string_view::npos;
        return changed;
    });
}

Text replaced(Interpreter &in, const Text &text, const std::string &from, const Text &to, std::int64_t count)
{
    const std::string &bytes = text.bytes();
    Text result;
    std::size_t done = 0;
    std::vector<std::size_t> places;
    if (from.empty()) {
        places = text.characterOffsets();
    } else {
        for (std::size_t at = bytes.find(from); at != std::string::npos;
             at = bytes.find(from, at + from.size())) {
            places.push_back(at);
        }
    }
    if (count >= 0 && static_cast<std::size_t>(count) < places.size()) {
        places.resize(static_cast<std::size_t>(count));
    }
    in.charge(bytes.size() / 64 + places.size() * to.size() / 256);
    if (places.size() * to.size() > limits::maxTemplateOutput) {
        in.fail("a replacement makes the string too long");
    }
    for (const std::size_t place : places) {
        result.append(text.slice(done, place - done));
        result.append(to);
        done = place + from.size();
    }
    result.append(text.slice(done));
    return result;
}

Text joinedBy(Interpreter &in, const Text &separator, const std::vector<Value> &items)
{
    Text result;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) {
            result.append(separator);
        }
        result.append(in.toText(items[i]));
        if (result.size() > limits::maxTemplateOutput) {
            in.fail("joining makes the string too long");
        }
    }
    return result;
}

} // namespace bathyscope::jinja
