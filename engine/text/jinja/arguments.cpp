// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/jinja/library.h"

#include <fmt/format.h>

namespace bathyscope::jinja {

std::string textArgument(Interpreter &in, const Arguments &arguments, std::size_t position,
                         std::string_view name, const std::string &otherwise)
{
    const Value *value = arguments.get(position, name);
    return !value || value->isNone() ? otherwise : requireText(in, *value, name).bytes();
}

std::int64_t integerArgument(Interpreter &in, const Arguments &arguments, std::size_t position,
                             std::string_view name, std::int64_t otherwise)
{
    const Value *value = arguments.get(position, name);
    if (!value || value->isNone()) {
        return otherwise;
    }
    const auto number = asInteger(*value);
    if (!number) {
        in.fail(fmt::format("{}: expected an integer, found {}", name, typeName(*value)));
    }
    return *number;
}

bool flagArgument(const Arguments &arguments, std::size_t position, std::string_view name, bool otherwise)
{
    const Value *value = arguments.get(position, name);
    return value ? isTrue(*value) : otherwise;
}

const Text &requireText(Interpreter &in, const Value &value, std::string_view what)
{
    if (!value.text()) {
        in.fail(fmt::format("{}: expected a string, found {}", what, typeName(value)));
    }
    return *value.text();
}

} // namespace bathyscope::jinja
