// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/jinja/value.h"

#include "engine/error.h"
#include "engine/limits.h"

#include <cmath>
#include <fmt/format.h>

namespace bathyscope::jinja {

const Text *Value::text() const
{
    const auto *held = std::get_if<std::shared_ptr<const Text>>(&data);
    return held ? held->get() : nullptr;
}

List *Value::list() const
{
    List *const *held = std::get_if<List *>(&data);
    return held ? *held : nullptr;
}

Dict *Value::dict() const
{
    Dict *const *held = std::get_if<Dict *>(&data);
    return held ? *held : nullptr;
}

const Callable *Value::callable() const
{
    const auto *held = std::get_if<std::shared_ptr<const Callable>>(&data);
    return held ? held->get() : nullptr;
}

const Value *Dict::find(const std::string &key) const
{
    const auto found = index.find(key);
    return found == index.end() ? nullptr : &entries[found->second].second;
}

void Dict::set(const Value &key, const Value &value)
{
    const std::optional<std::string> name = keyOf(key);
    if (!name) {
        throw Error(fmt::format("a {} cannot be the key of a dict", typeName(key)));
    }
    const auto [entry, isNew] = index.try_emplace(*name, entries.size());
    if (isNew) {
        entries.emplace_back(key, value);
    } else {
        entries[entry->second].second = value;
    }
}

void Dict::set(const std::string &key, const Value &value)
{
    set(makeText(key), value);
}

const Value *Arguments::get(std::size_t position, std::string_view name) const
{
    if (position < positional.size()) {
        return &positional[position];
    }
    for (const auto &[given, value] : named) {
        if (given == name) {
            return &value;
        }
    }
    return nullptr;
}

Value makeText(Text text)
{
    return {std::make_shared<const Text>(std::move(text))};
}

Value makeText(std::string bytes, Origin origin)
{
    return makeText(Text(std::move(bytes), origin));
}

std::optional<std::string> keyOf(const Value &value)
{
    if (const Text *text = value.text()) {
        return "s" + text->bytes();
    }
    if (const auto number = asNumber(value)) {
        const auto whole = asInteger(value);
        return whole ? fmt::format("n{}", *whole)
            : std::floor(*number) == *number && std::abs(*number) < 1e15
            ? fmt::format("n{}", static_cast<std::int64_t>(*number))
            : fmt::format("n{}", *number);
    }
    return value.isNone() ? std::optional<std::string>("0") : std::nullopt;
}

bool isTrue(const Value &value)
{
    if (const Text *text = value.text()) {
        return !text->empty();
    }
    if (const List *list = value.list()) {
        return !list->items.empty();
    }
    if (const Dict *dict = value.dict()) {
        return dict->isNamespace || !dict->entries.empty();
    }
    if (const auto number = asNumber(value)) {
        return *number != 0;
    }
    return value.callable() != nullptr;
}

std::optional<std::int64_t> asInteger(const Value &value)
{
    if (const bool *boolean = value.boolean()) {
        return *boolean ? 1 : 0;
    }
    return value.integer() ? std::optional(*value.integer()) : std::nullopt;
}

std::optional<double> asNumber(const Value &value)
{
    if (const auto whole = asInteger(value)) {
        return static_cast<double>(*whole);
    }
    return value.real() ? std::optional(*value.real()) : std::nullopt;
}

std::string typeName(const Value &value)
{
    if (const List *list = value.list()) {
        return list->tuple ? "tuple" : "list";
    }
    if (const Dict *dict = value.dict()) {
        return dict->isNamespace ? "namespace" : "dict";
    }
    static constexpr const char *names[] = {
        "undefined value", "None", "bool", "int", "float", "str", "list", "dict", "function"};
    return names[value.data.index()];
}

namespace {

struct Comparison {
    std::size_t depth = 0;
    std::size_t steps = 0;

    bool isEqual(const Value &a, const Value &b);
    bool sameItems(const List &a, const List &b);
    bool sameEntries(const Dict &a, const Dict &b);
};

bool Comparison::sameItems(const List &a, const List &b)
{
    bool equal = a.items.size() == b.items.size() && a.tuple == b.tuple;
    for (std::size_t i = 0; equal && i < a.items.size(); ++i) {
        equal = isEqual(a.items[i], b.items[i]);
    }
    return equal;
}

bool Comparison::sameEntries(const Dict &a, const Dict &b)
{
    bool equal = a.entries.size() == b.entries.size();
    for (std::size_t i = 0; equal && i < a.entries.size(); ++i) {
        const auto &[key, value] = a.entries[i];
        const Value *other = b.find(*keyOf(key));
        equal = other && isEqual(value, *other);
    }
    return equal;
}

bool Comparison::isEqual(const Value &a, const Value &b)
{
    if (depth > limits::maxTemplateDepth || ++steps > limits::maxTemplateSteps) {
        throw Error("values are nested too deeply to be compared");
    }
    if (asInteger(a) && asInteger(b)) {
        return *asInteger(a) == *asInteger(b);
    }
    if (asNumber(a) && asNumber(b)) {
        return *asNumber(a) == *asNumber(b);
    }
    if (a.data.index() != b.data.index()) {
        return false;
    }
    if (a.text()) {
        return a.text()->bytes() == b.text()->bytes();
    }
    if (a.list() || a.dict()) {
        ++depth;
        const bool equal = a.list() ? sameItems(*a.list(), *b.list()) : sameEntries(*a.dict(), *b.dict());
        --depth;
        return equal;
    }
    return a.callable() == b.callable();
}

} // namespace

bool isEqual(const Value &a, const Value &b)
{
    return Comparison().isEqual(a, b);
}

std::string realToString(double value)
{
    std::string text = fmt::format("{}", value);
    return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}

} // namespace bathyscope::jinja
