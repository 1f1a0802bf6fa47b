// SPDX-License-Identifier: GPL-3.0-or-later
//
// Filters of lists and dicts (jinja2/filters.py).
#include "engine/text/jinja/library.h"

#include <algorithm>
#include <fmt/format.h>

namespace bathyscope::jinja {

namespace {

/// `value` or, where the filter has an `attribute`, what that path leads to.
Value keyed(Interpreter &in, const Value &value, const Value *path)
{
    if (!path || path->isNone()) {
        return value;
    }
    return path->text() ? in.path(value, path->text()->bytes()) : in.item(value, *path);
}

/// Strings are ordered and compared without regard to case unless asked otherwise.
Value folded(const Value &value, bool caseSensitive)
{
    return value.text() && !caseSensitive ? makeText(lowerCased(*value.text())) : value;
}

Value length(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    if (const Text *text = value.text()) {
        in.charge(text->size() / 64);
        return {static_cast<std::int64_t>(text->characterCount())};
    }
    if (const Dict *dict = value.dict()) {
        return {static_cast<std::int64_t>(dict->entries.size())};
    }
    return {static_cast<std::int64_t>(in.iterate(value).size())};
}

Value join(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const Value *separator = arguments.get(0, "d");
    const Value *path = arguments.get(1, "attribute");
    std::vector<Value> items = in.iterate(value);
    for (Value &item : items) {
        item = keyed(in, item, path);
    }
    return makeText(joinedBy(in, separator ? in.toText(*separator) : Text(), items));
}

Value first(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    const std::vector<Value> items = in.iterate(value);
    return items.empty() ? Value{Undefined{"the first item of an empty sequence"}} : items.front();
}

Value last(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    const std::vector<Value> items = in.iterate(value);
    return items.empty() ? Value{Undefined{"the last item of an empty sequence"}} : items.back();
}

Value list(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    return in.makeList(in.iterate(value));
}

Value pairs(Interpreter &in, const Dict &dict)
{
    std::vector<Value> items;
    for (const auto &[key, entry] : dict.entries) {
        items.push_back(in.makeList({key, entry}, true));
    }
    return in.makeList(std::move(items));
}

const Dict &requireDict(Interpreter &in, const Value &value, const char *filter)
{
    if (!value.dict()) {
        in.fail(fmt::format("{}: expected a dict, found {}", filter, typeName(value)));
    }
    return *value.dict();
}

Value items(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    return value.isUndefined() ? in.makeList({}) : pairs(in, requireDict(in, value, "items"));
}

/// By `key` of an item, ascending or descending; equals keep their order.
template <typename Key>
void sortBy(Interpreter &in, std::vector<Value> &list, bool reverse, Key key)
{
    in.charge(list.size());
    std::stable_sort(list.begin(), list.end(), [&](const Value &a, const Value &b) {
        in.charge(1);
        return reverse ? in.compare("<", key(b), key(a)) : in.compare("<", key(a), key(b));
    });
}

Value sort(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const bool caseSensitive = flagArgument(arguments, 1, "case_sensitive", false);
    const Value *path = arguments.get(2, "attribute");
    std::vector<Value> list = in.iterate(value);
    sortBy(in, list, flagArgument(arguments, 0, "reverse", false),
           [&](const Value &item) { return folded(keyed(in, item, path), caseSensitive); });
    return in.makeList(std::move(list));
}

Value dictsort(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const bool caseSensitive = flagArgument(arguments, 0, "case_sensitive", false);
    const std::string by = textArgument(in, arguments, 1, "by", "key");
    const std::size_t part = by == "value" ? 1 : 0;
    Value result = pairs(in, requireDict(in, value, "dictsort"));
    sortBy(in, result.list()->items, flagArgument(arguments, 2, "reverse", false),
           [&](const Value &item) { return folded(item.list()->items[part], caseSensitive); });
    return result;
}

Value unique(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const bool caseSensitive = flagArgument(arguments, 0, "case_sensitive", false);
    const Value *path = arguments.get(1, "attribute");
    Dict *seen = in.makeDict();
    std::vector<Value> result;
    for (const Value &item : in.iterate(value)) {
        const Value key = folded(keyed(in, item, path), caseSensitive);
        const std::size_t before = seen->entries.size();
        seen->set(key, item);
        if (seen->entries.size() > before) {
            result.push_back(item);
        }
    }
    return in.makeList(std::move(result));
}

Value reverse(Interpreter &in, const Value &value, const Arguments & /*arguments*/)
{
    std::vector<Value> list = in.iterate(value);
    std::reverse(list.begin(), list.end());
    return value.text() ? makeText(joinedBy(in, {}, list)) : in.makeList(std::move(list));
}

/// Shared by select, reject and their forms for attributes.
Value filtered(Interpreter &in, const Value &value, const Arguments &arguments, bool byAttribute, bool keep)
{
    const std::size_t skip = byAttribute ? 1 : 0;
    const Value *path = byAttribute ? arguments.get(0, "attribute") : nullptr;
    if (byAttribute && !path) {
        in.fail("expected the name of an attribute");
    }
    const Value *test = arguments.get(skip, "test");
    Arguments rest;
    for (std::size_t i = skip + 1; i < arguments.positional.size(); ++i) {
        rest.positional.push_back(arguments.positional[i]);
    }
    std::vector<Value> result;
    for (const Value &item : in.iterate(value)) {
        const Value subject = keyed(in, item, path);
        const bool passes =
            test ? in.applyTest(requireText(in, *test, "test").bytes(), subject, rest) : isTrue(subject);
        if (passes == keep) {
            result.push_back(item);
        }
    }
    return in.makeList(std::move(result));
}

Value select(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return filtered(in, value, arguments, false, true);
}

Value reject(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return filtered(in, value, arguments, false, false);
}

Value selectattr(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return filtered(in, value, arguments, true, true);
}

Value rejectattr(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return filtered(in, value, arguments, true, false);
}

Value map(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const Value *path = arguments.positional.empty() ? arguments.get(0, "attribute") : nullptr;
    const Value *otherwise = path ? arguments.get(1, "default") : nullptr;
    if (!path && arguments.positional.empty()) {
        in.fail("map: expected the name of a filter or an attribute");
    }
    Arguments rest = arguments;
    if (!path) {
        rest.positional.erase(rest.positional.begin());
    }
    std::vector<Value> result = in.iterate(value);
    for (Value &item : result) {
        if (path) {
            item = keyed(in, item, path);
            item = item.isUndefined() && otherwise ? *otherwise : item;
        } else {
            item = in.applyFilter(requireText(in, arguments.positional.front(), "map").bytes(), item, rest);
        }
    }
    return in.makeList(std::move(result));
}

Value sum(Interpreter &in, const Value &value, const Arguments &arguments)
{
    const Value *start = arguments.get(1, "start");
    Value total = start ? *start : Value{std::int64_t{0}};
    for (const Value &item : in.iterate(value)) {
        total = in.binary("+", total, keyed(in, item, arguments.get(0, "attribute")));
    }
    return total;
}

Value extreme(Interpreter &in, const Value &value, const Arguments &arguments, const char *comparison)
{
    const bool caseSensitive = flagArgument(arguments, 0, "case_sensitive", false);
    Value best{Undefined{"the extreme of an empty sequence"}};
    for (const Value &item : in.iterate(value)) {
        if (best.isUndefined()
            || in.compare(comparison, folded(item, caseSensitive), folded(best, caseSensitive))) {
            best = item;
        }
    }
    return best;
}

Value minimum(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return extreme(in, value, arguments, "<");
}

Value maximum(Interpreter &in, const Value &value, const Arguments &arguments)
{
    return extreme(in, value, arguments, ">");
}

} // namespace

const FunctionTable &sequenceFilters()
{
    static const FunctionTable table = {
        {"length", length},
        {"count", length},
        {"join", join},
        {"first", first},
        {"last", last},
        {"list", list},
        {"items", items},
        {"sort", sort},
        {"dictsort", dictsort},
        {"unique", unique},
        {"reverse", reverse},
        {"select", select},
        {"reject", reject},
        {"selectattr", selectattr},
        {"rejectattr", rejectattr},
        {"map", map},
        {"sum", sum},
        {"min", minimum},
        {"max", maximum},
    };
    return table;
}

} // namespace bathyscope::jinja
