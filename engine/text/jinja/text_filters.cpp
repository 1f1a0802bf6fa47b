// SPDX-License-Identifier: GPL-3.0-or-later
//
// Filters of strings, numbers and single values (jinja2/filters.py).
#include "engine/limits.h"
#include "engine/text/jinja/library.h"

#include <cmath>
#include <fmt/format.h>
#include <sstream>

namespace bathyscope::jinja {

namespace {

std::optional<double> parseNumber(const std::string &text)
{
    std::istringstream stream(Text(text, Origin::Content).stripped(true, true).bytes());
    stream.imbue(std::locale::classic());
    double number = 0;
    stream >> number;
    return stream.eof() && !stream.fail() ? std::optional(number) : std::nullopt;
}

Value trim(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const std::string set = textArgument(in, arguments, 0, "chars", "");
    return makeText(in.toText(value).stripped(true, true, set));
}

Value string(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    return makeText(in.toText(value));
}

Value upper(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    return makeText(upperCased(in.toText(value)));
}

Value lower(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    return makeText(lowerCased(in.toText(value)));
}

Value title(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    return makeText(titleCased(in.toText(value), " \t\n\r\f\v-({[<"));
}

Value capitalize(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    return makeText(capitalised(in.toText(value)));
}

Value replace(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const Value *to = arguments.get(1, "new");
    const std::string from = textArgument(in, arguments, 0, "old", "");
    const Text replacement = to ? in.toText(*to) : Text();
    return makeText(
        replaced(in, in.toText(value), from, replacement, integerArgument(in, arguments, 2, "count", -1)));
}

Value indent(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const Value *width = arguments.get(0, "width");
    const std::int64_t columns = width && width->text() ? 0 : integerArgument(in, arguments, 0, "width", 4);
    if (columns < 0 || columns > 1000) {
        in.fail("indent: expected a width from 0 to 1000");
    }
    const Text space = width && width->text()
        ? *width->text()
        : Text(std::string(static_cast<std::size_t>(columns), ' '), Origin::Scaffolding);
    const bool blank = flagArgument(arguments, 2, "blank", false);
    const Text text = in.toText(value);
    Text result = flagArgument(arguments, 1, "first", false) ? space : Text();
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.bytes().find('\n', at), text.size() - 1) + 1;
        result.append(text.slice(at, end - at));
        const bool emptyLine = end >= text.size() || text.bytes()[end] == '\n';
        if (text.bytes()[end - 1] == '\n' && (blank || !emptyLine)) {
            result.append(space);
        }
        at = end;
        if (result.size() > limits::maxTemplateOutput) {
            in.fail("indenting makes the string too long");
        }
    }
    return makeText(std::move(result));
}

Value identity(Interpreter & /*in*/, const Value &value, const Arguments & /*arguments*/)
{
    return value;
}

Value defaultTo(Interpreter & /*in*/, const Value &value, const Arguments &arguments)
{
    const Value *otherwise = arguments.get(0, "default_value");
    const bool falsy = flagArgument(arguments, 1, "boolean", false) && !isTrue(value);
    return !value.isUndefined() && !falsy ? value : otherwise ? *otherwise : makeText("");
}

Value toInteger(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const Value *otherwise = arguments.get(0, "default");
    const auto number = value.text() ? parseNumber(value.text()->bytes()) : asNumber(value);
    if (asInteger(value)) {
        return {*asInteger(value)};
    }
    if (!number || std::isnan(*number)) {
        return otherwise ? *otherwise : Value{std::int64_t{0}};
    }
    if (std::abs(*number) >= 9.2e18) {
        in.fail("int: the number does not fit into 64 bits");
    }
    return {static_cast<std::int64_t>(*number)};
}

Value toReal(Interpreter & /*in*/, const Value &value, const Arguments &arguments)
{
    const Value *otherwise = arguments.get(0, "default");
    const auto number = value.text() ? parseNumber(value.text()->bytes()) : asNumber(value);
    return number ? Value{*number} : otherwise ? *otherwise : Value{0.0};
}

double requireNumber(Interpreter &in, const Value &value, const char *filter)
{
    if (!asNumber(value)) {
        in.fail(fmt::format("{}: expected a number, found {}", filter, typeName(value)));
    }
    return *asNumber(value);
}

Value absolute(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    const double number = requireNumber(in, value, "abs");
    return asInteger(value) && number < 0 ? in.binary("-", {std::int64_t{0}}, value)
        : asInteger(value)                ? Value{*asInteger(value)}
                                          : Value{std::abs(number)};
}

Value round(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const std::string method = textArgument(in, arguments, 1, "method", "common");
    const double scale =
        std::pow(10.0, static_cast<double>(integerArgument(in, arguments, 0, "precision", 0)));
    const double number = requireNumber(in, value, "round") * scale;
    if (method != "common" && method != "ceil" && method != "floor") {
        in.fail(fmt::format("round: expected common, ceil or floor, found \"{}\"", method));
    }
    // Python rounds halves to the even neighbour, as nearbyint() does.
    return {(method == "ceil"        ? std::ceil(number)
                 : method == "floor" ? std::floor(number)
                                     : std::nearbyint(number))
            / scale};
}

Value attribute(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return in.attribute(value, textArgument(in, arguments, 0, "name", ""));
}

} // namespace

const FunctionTable &textFilters()
{
    static const FunctionTable table = {
        {"trim", trim},     {"string", string},         {"upper", upper},     {"lower", lower},
        {"title", title},   {"capitalize", capitalize}, {"replace", replace}, {"indent", indent},
        {"safe", identity}, {"default", defaultTo},     {"d", defaultTo},     {"int", toInteger},
        {"float", toReal},  {"abs", absolute},          {"round", round},     {"attr", attribute},
        {"tojson", toJson},
    };
    return table;
}

} // namespace bathyscope::jinja
