// SPDX-License-Identifier: GPL-3.0-or-later
//
// Arithmetic, comparison and conversion to text, as Python does them.
#include "engine/limits.h"
#include "engine/text/jinja/interpreter.h"
#include "engine/text/jinja/library.h"

#include <cmath>
#include <fmt/format.h>

namespace bathyscope::jinja {

namespace {

/// Nothing where 64 bits do not suffice.
std::optional<std::int64_t> integerResult(char name, std::int64_t left, std::int64_t right)
{
    std::int64_t result = 0;
    const bool overflow = name == '+' ? __builtin_add_overflow(left, right, &result)
        : name == '-'                 ? __builtin_sub_overflow(left, right, &result)
                                      : __builtin_mul_overflow(left, right, &result);
    return overflow ? std::nullopt : std::optional(result);
}

std::optional<std::int64_t> integerPower(std::int64_t base, std::int64_t exponent)
{
    std::optional<std::int64_t> result = 1;
    for (std::int64_t i = 0; i < exponent && result && i < 64; ++i) {
        result = integerResult('*', *result, base);
    }
    const bool trivial = base >= -1 && base <= 1;
    return exponent <= 64 || !result ? result
        : !trivial                   ? std::nullopt
        : base == -1                 ? std::optional<std::int64_t>(exponent % 2 == 0 ? 1 : -1)
                                     : std::optional<std::int64_t>(base);
}

std::int64_t floorDivide(std::int64_t left, std::int64_t right)
{
    const std::int64_t quotient = left / right;
    return left % right != 0 && (left < 0) != (right < 0) ? quotient - 1 : quotient;
}

Value arithmetic(Interpreter &in, const std::string &name, const Value &left, const Value &right)
{
    const double a = *asNumber(left);
    const double b = *asNumber(right);
    if ((name == "/" || name == "//" || name == "%") && b == 0) {
        in.fail("division by zero");
    }
    if (name == "/") {
        return {a / b};
    }
    const auto whole = std::pair{asInteger(left), asInteger(right)};
    if (whole.first && whole.second && !(name == "**" && *whole.second < 0)) {
        const bool negates =
            *whole.second == -1; // the smallest integer divided by -1 has no place in 64 bits
        const auto result = name == "//"
            ? (negates ? integerResult('-', 0, *whole.first) : floorDivide(*whole.first, *whole.second))
            : name == "%"
            ? (negates ? 0 : *whole.first - floorDivide(*whole.first, *whole.second) * *whole.second)
            : name == "**" ? integerPower(*whole.first, *whole.second)
                           : integerResult(name.front(), *whole.first, *whole.second);
        if (!result) {
            in.fail("an integer does not fit into 64 bits");
        }
        return {*result};
    }
    return {name == "+"        ? a + b
                : name == "-"  ? a - b
                : name == "*"  ? a * b
                : name == "//" ? std::floor(a / b)
                : name == "%"  ? a - std::floor(a / b) * b
                               : std::pow(a, b)};
}

Value repeated(Interpreter &in, const Value &value, std::int64_t times)
{
    const std::size_t size = value.text() ? value.text()->size() : value.list()->items.size();
    const std::size_t most = value.text() ? limits::maxTemplateOutput : limits::maxTemplateItems;
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
    if (size > 0 && count > most / size) {
        in.fail("a repetition is too long");
    }
    Text text;
    std::vector<Value> items;
    for (std::size_t i = 0; i < (size > 0 ? count : 0); ++i) {
        if (value.text()) {
            text.append(*value.text());
        } else {
            items.insert(items.end(), value.list()->items.begin(), value.list()->items.end());
        }
    }
    return value.text() ? makeText(std::move(text)) : in.makeList(std::move(items));
}

/// Negative, zero or positive as `a` is less than, equal to or greater than `b`.
int order(Interpreter &in, const Value &a, const Value &b, std::size_t depth = 0)
{
    if (asNumber(a) && asNumber(b)) {
        const auto whole = std::pair{asInteger(a), asInteger(b)};
        if (whole.first && whole.second) {
            return *whole.first < *whole.second ? -1 : *whole.first > *whole.second ? 1 : 0;
        }
        return *asNumber(a) < *asNumber(b) ? -1 : *asNumber(a) > *asNumber(b) ? 1 : 0;
    }
    if (a.text() && b.text()) {
        return a.text()->bytes().compare(b.text()->bytes());
    }
    if (!a.list() || !b.list() || depth > limits::maxTemplateDepth) {
        in.fail(fmt::format("cannot order {} and {}", typeName(a), typeName(b)));
    }
    const auto &left = a.list()->items;
    const auto &right = b.list()->items;
    for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
        if (!isEqual(left[i], right[i])) {
            return order(in, left[i], right[i], depth + 1);
        }
    }
    return left.size() < right.size() ? -1 : left.size() > right.size() ? 1 : 0;
}

/// Python's repr() of a string: in single quotes unless only those occur in it.
Text quoted(const Text &text)
{
    const std::string &bytes = text.bytes();
    const bool doubleQuotes = bytes.find('\'') != std::string::npos && bytes.find('"') == std::string::npos;
    const char quote = doubleQuotes ? '"' : '\'';
    Text result(std::string(1, quote), Origin::Scaffolding);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        const std::string escaped = c == '\n' ? "\\n"
            : c == '\t'                       ? "\\t"
            : c == '\r'                       ? "\\r"
            : c == '\\' || c == quote         ? std::string{'\\', c}
                                              : std::string(1, c);
        result.append(escaped, text.origin(i));
    }
    result.append(std::string(1, quote), Origin::Scaffolding);
    return result;
}

} // namespace

Value Interpreter::binary(const std::string &name, const Value &left, const Value &right)
{
    if (name == "~") {
        Text text = toText(left);
        text.append(toText(right));
        return makeText(std::move(text));
    }
    if (asNumber(left) && asNumber(right)) {
        return arithmetic(*this, name, left, right);
    }
    if (name == "+" && left.text() && right.text()) {
        Text text = *left.text();
        text.append(*right.text());
        return makeText(std::move(text));
    }
    if (name == "+" && left.list() && right.list()) {
        std::vector<Value> items = left.list()->items;
        items.insert(items.end(), right.list()->items.begin(), right.list()->items.end());
        return makeList(std::move(items), left.list()->tuple);
    }
    if (name == "*" && (left.text() || left.list()) && asInteger(right)) {
        return repeated(*this, left, *asInteger(right));
    }
    if (name == "*" && asInteger(left) && (right.text() || right.list())) {
        return repeated(*this, right, *asInteger(left));
    }
    for (const Value *operand : {&left, &right}) {
        if (const auto *undefined = std::get_if<Undefined>(&operand->data)) {
            fail(fmt::format("'{}' is undefined and cannot be used with \"{}\"", undefined->what, name));
        }
    }
    fail(fmt::format("cannot use \"{}\" with {} and {}", name, typeName(left), typeName(right)));
}

Value Interpreter::evaluateSign(const Expression &node)
{
    const Value value = evaluate(*node.children.front());
    if (!asNumber(value)) {
        fail(fmt::format("expected a number, found {}", typeName(value)));
    }
    return node.kind == Expression::Kind::Negative ? arithmetic(*this, "-", {std::int64_t{0}}, value) : value;
}

bool Interpreter::compare(const std::string &name, const Value &left, const Value &right)
{
    if (name == "==" || name == "!=") {
        return isEqual(left, right) == (name == "==");
    }
    if (name == "in" || name == "not in") {
        return contains(right, left) == (name == "in");
    }
    const int result = order(*this, left, right);
    return name == "<" ? result < 0 : name == "<=" ? result <= 0 : name == ">" ? result > 0 : result >= 0;
}

bool Interpreter::contains(const Value &container, const Value &value)
{
    if (const Text *text = container.text()) {
        charge(text->size() / 256);
        return text->bytes().find(requireText(*this, value, "\"in\" a string").bytes()) != std::string::npos;
    }
    if (const Dict *dict = container.dict()) {
        const auto key = keyOf(value);
        return key && dict->find(*key);
    }
    for (const Value &entry : iterate(container)) {
        if (isEqual(entry, value)) {
            return true;
        }
    }
    return false;
}

Value Interpreter::evaluateCompare(const Expression &node)
{
    Value left = evaluate(*node.children.front());
    for (std::size_t i = 0; i < node.names.size(); ++i) {
        Value right = evaluate(*node.children[i + 1]);
        m_position = node.position;
        if (!compare(node.names[i], left, right)) {
            return {false};
        }
        left = std::move(right);
    }
    return {true};
}

Text Interpreter::toText(const Value &value, std::size_t depth)
{
    if (depth > limits::maxTemplateDepth) {
        fail("a value is nested too deeply to be written");
    }
    charge(1);
    const auto plain = [](std::string text) { return Text(std::move(text), Origin::Scaffolding); };
    if (const Text *text = value.text()) {
        return depth == 0 ? *text : quoted(*text);
    }
    if (value.isUndefined() || value.isNone()) {
        return plain(value.isNone() ? "None" : "");
    }
    if (const bool *boolean = value.boolean()) {
        return plain(*boolean ? "True" : "False");
    }
    if (asNumber(value)) {
        return plain(value.integer() ? std::to_string(*value.integer()) : realToString(*value.real()));
    }
    Text text = plain(value.dict() ? "{" : value.list() && value.list()->tuple ? "(" : "[");
    if (const List *list = value.list()) {
        for (std::size_t i = 0; i < list->items.size(); ++i) {
            text.append(i > 0 ? ", " : "", Origin::Scaffolding);
            text.append(toText(list->items[i], depth + 1));
        }
        const bool single = list->tuple && list->items.size() == 1;
        text.append(!list->tuple ? "]" : single ? ",)" : ")", Origin::Scaffolding);
        return text;
    }
    if (const Dict *dict = value.dict()) {
        for (std::size_t i = 0; i < dict->entries.size(); ++i) {
            text.append(i > 0 ? ", " : "", Origin::Scaffolding);
            text.append(toText(dict->entries[i].first, depth + 1));
            text.append(": ", Origin::Scaffolding);
            text.append(toText(dict->entries[i].second, depth + 1));
        }
        text.append("}", Origin::Scaffolding);
        return text;
    }
    return plain(fmt::format("<function {}>", value.callable()->name));
}

} // namespace bathyscope::jinja
