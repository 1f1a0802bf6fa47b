// SPDX-License-Identifier: GPL-3.0-or-later
//
// What may follow `is` (jinja2/tests.py).
#include "engine/text/jinja/library.h"

namespace bathyscope::jinja {

namespace {

const Value &operand(Interpreter &in, const Arguments &arguments)
{
    if (arguments.positional.empty()) {
        in.fail("the test needs a value to compare with");
    }
    return arguments.positional.front();
}

template <const char *const &Name>
bool compares(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return in.compare(Name, value, operand(in, arguments));
}

constexpr const char *equal = "==";
constexpr const char *notEqual = "!=";
constexpr const char *less = "<";
constexpr const char *lessOrEqual = "<=";
constexpr const char *greater = ">";
constexpr const char *greaterOrEqual = ">=";
constexpr const char *contained = "in";

bool isIterable(const Value &value)
{
    const bool isNamespace = value.dict() && value.dict()->isNamespace;
    return value.isUndefined() || value.text() || value.list() || (value.dict() && !isNamespace);
}

/// The remainder as Python's %, for the tests of numbers.
bool leaves(Interpreter &in, const Value &value, std::int64_t divisor, std::int64_t remainder)
{
    return isEqual(in.binary("%", value, {divisor}), {remainder});
}

using In = Interpreter;
using V = Value;
using A = Arguments;

bool sameAs(In & /*in*/, const V &value, const A &arguments)
{
    return !arguments.positional.empty() && value.data.index() == arguments.positional[0].data.index()
        && isEqual(value, arguments.positional[0]);
}

bool divisibleBy(In &in, const V &value, const A &arguments)
{
    return isEqual(in.binary("%", value, operand(in, arguments)), {std::int64_t{0}});
}

bool isLower(In &in, const V &value, const A & /*arguments*/)
{
    const Text text = in.toText(value);
    return lowerCased(text).bytes() == text.bytes() && upperCased(text).bytes() != text.bytes();
}

bool isUpper(In &in, const V &value, const A & /*arguments*/)
{
    const Text text = in.toText(value);
    return upperCased(text).bytes() == text.bytes() && lowerCased(text).bytes() != text.bytes();
}

} // namespace

const std::unordered_map<std::string, TestFunction> &tests()
{
    static const std::unordered_map<std::string, TestFunction> table = {
        {"defined", [](In &, const V &v, const A &) { return !v.isUndefined(); }},
        {"undefined", [](In &, const V &v, const A &) { return v.isUndefined(); }},
        {"none", [](In &, const V &v, const A &) { return v.isNone(); }},
        {"string", [](In &, const V &v, const A &) { return v.text() != nullptr; }},
        {"number", [](In &, const V &v, const A &) { return asNumber(v).has_value(); }},
        {"integer", [](In &, const V &v, const A &) { return v.integer() != nullptr; }},
        {"float", [](In &, const V &v, const A &) { return v.real() != nullptr; }},
        {"boolean", [](In &, const V &v, const A &) { return v.boolean() != nullptr; }},
        {"true", [](In &, const V &v, const A &) { return v.boolean() && *v.boolean(); }},
        {"false", [](In &, const V &v, const A &) { return v.boolean() && !*v.boolean(); }},
        {"mapping", [](In &, const V &v, const A &) { return v.dict() && !v.dict()->isNamespace; }},
        {"sequence", [](In &, const V &v, const A &) { return isIterable(v); }},
        {"iterable", [](In &, const V &v, const A &) { return isIterable(v); }},
        {"callable", [](In &, const V &v, const A &) { return v.callable() != nullptr; }},
        {"even", [](In &in, const V &v, const A &) { return leaves(in, v, 2, 0); }},
        {"odd", [](In &in, const V &v, const A &) { return leaves(in, v, 2, 1); }},
        {"divisibleby", divisibleBy},
        {"sameas", sameAs},
        {"lower", isLower},
        {"upper", isUpper},
        {"equalto", compares<equal>},
        {"eq", compares<equal>},
        {"==", compares<equal>},
        {"ne", compares<notEqual>},
        {"!=", compares<notEqual>},
        {"in", compares<contained>},
        {"lt", compares<less>},
        {"lessthan", compares<less>},
        {"<", compares<less>},
        {"le", compares<lessOrEqual>},
        {"<=", compares<lessOrEqual>},
        {"gt", compares<greater>},
        {"greaterthan", compares<greater>},
        {">", compares<greater>},
        {"ge", compares<greaterOrEqual>},
        {">=", compares<greaterOrEqual>},
    };
    return table;
}

} // namespace bathyscope::jinja
