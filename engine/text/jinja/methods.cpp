// SPDX-License-Identifier: GPL-3.0-or-later
//
// Methods of Python's str, list and dict that templates call.
#include "engine/limits.h"
#include "engine/text/jinja/library.h"

#include <algorithm>
#include <fmt/format.h>

namespace bathyscope::jinja {

namespace {

using In = Interpreter;
using V = Value;
using A = Arguments;

Value splitAtSpaces(In &in, const Text &text, std::int64_t most)
{
    std::vector<Value> parts;
    Text rest = text.stripped(true, false);
    in.charge(text.size() / 16);
    const std::vector<std::size_t> offsets = rest.characterOffsets();
    std::size_t begin = 0;
    bool inSpace = false;
    for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
        const bool space = rest.slice(offsets[i], offsets[i + 1] - offsets[i]).stripped(true, true).empty();
        if (space && !inSpace) {
            parts.push_back(makeText(rest.slice(begin, offsets[i] - begin)));
        }
        if (!space && inSpace) {
            begin = offsets[i];
            if (most >= 0 && static_cast<std::int64_t>(parts.size()) >= most) {
                parts.push_back(makeText(rest.slice(begin).stripped(false, true)));
                return in.makeList(std::move(parts));
            }
        }
        inSpace = space;
    }
    if (!inSpace && begin < rest.size()) {
        parts.push_back(makeText(rest.slice(begin)));
    }
    return in.makeList(std::move(parts));
}

Value split(In &in, const V &object, const A &arguments)
{
    const Text &text = *object.text();
    const std::int64_t most = integerArgument(in, arguments, 1, "maxsplit", -1);
    const Value *separator = arguments.get(0, "sep");
    if (!separator || separator->isNone()) {
        return splitAtSpaces(in, text, most);
    }
    const std::string by = requireText(in, *separator, "split").bytes();
    if (by.empty()) {
        in.fail("split: the separator is empty");
    }
    in.charge(text.size() / 64);
    std::vector<Value> parts;
    std::size_t begin = 0;
    for (std::size_t at = text.bytes().find(by);
         at != std::string::npos && (most < 0 || static_cast<std::int64_t>(parts.size()) < most);
         at = text.bytes().find(by, begin)) {
        parts.push_back(makeText(text.slice(begin, at - begin)));
        begin = at + by.size();
    }
    parts.push_back(makeText(text.slice(begin)));
    return in.makeList(std::move(parts));
}

Value rsplit(In &in, const V &object, const A &arguments)
{
    const std::int64_t most = integerArgument(in, arguments, 1, "maxsplit", -1);
    const std::string by = textArgument(in, arguments, 0, "sep", "");
    if (most < 0) {
        return split(in, object, arguments);
    }
    if (by.empty()) {
        in.fail("rsplit: expected a separator");
    }
    Text rest = *object.text();
    std::vector<Value> parts;
    for (std::size_t at = rest.bytes().rfind(by);
         at != std::string::npos && static_cast<std::int64_t>(parts.size()) < most;
         at = rest.bytes().rfind(by)) {
        parts.push_back(makeText(rest.slice(at + by.size())));
        in.charge(1 + rest.size() / 256);
        rest = rest.slice(0, at);
    }
    parts.push_back(makeText(std::move(rest)));
    std::reverse(parts.begin(), parts.end());
    return in.makeList(std::move(parts));
}

Value splitlines(In &in, const V &object, const A & /*arguments*/)
{
    const Text &text = *object.text();
    std::vector<Value> lines;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.bytes().find_first_of("\r\n", at), text.size());
        lines.push_back(makeText(text.slice(at, end - at)));
        at = end + (text.bytes().compare(end, 2, "\r\n") == 0 ? 2 : 1);
    }
    return in.makeList(std::move(lines));
}

Value strip(In &in, const V &object, const A &arguments)
{
    return makeText(object.text()->stripped(true, true, textArgument(in, arguments, 0, "chars", "")));
}

Value lstrip(In &in, const V &object, const A &arguments)
{
    return makeText(object.text()->stripped(true, false, textArgument(in, arguments, 0, "chars", "")));
}

Value rstrip(In &in, const V &object, const A &arguments)
{
    return makeText(object.text()->stripped(false, true, textArgument(in, arguments, 0, "chars", "")));
}

/// startswith and endswith, which take one string or a tuple of them.
bool hasEdge(In &in, const V &object, const A &arguments, bool atStart)
{
    const Value *edge = arguments.get(0, "prefix");
    if (!edge) {
        in.fail("expected a string to compare with");
    }
    const std::vector<Value> edges = edge->list() ? edge->list()->items : std::vector<Value>{*edge};
    const std::string &text = object.text()->bytes();
    return std::any_of(edges.begin(), edges.end(), [&](const Value &candidate) {
        const std::string &bytes = requireText(in, candidate, atStart ? "startswith" : "endswith").bytes();
        return atStart ? text.starts_with(bytes) : text.ends_with(bytes);
    });
}

Value startswith(In &in, const V &object, const A &arguments)
{
    return {hasEdge(in, object, arguments, true)};
}

Value endswith(In &in, const V &object, const A &arguments)
{
    return {hasEdge(in, object, arguments, false)};
}

Value removeprefix(In &in, const V &object, const A &arguments)
{
    const std::string edge = textArgument(in, arguments, 0, "prefix", "");
    const bool found = object.text()->bytes().starts_with(edge);
    return makeText(object.text()->slice(found ? edge.size() : 0));
}

Value removesuffix(In &in, const V &object, const A &arguments)
{
    const std::string edge = textArgument(in, arguments, 0, "suffix", "");
    const bool found = object.text()->bytes().ends_with(edge);
    return makeText(object.text()->slice(0, object.text()->size() - (found ? edge.size() : 0)));
}

Value replace(In &in, const V &object, const A &arguments)
{
    const Value *to = arguments.get(1, "new");
    const std::string from = textArgument(in, arguments, 0, "old", "");
    return makeText(replaced(in, *object.text(), from, to ? requireText(in, *to, "replace") : Text(),
                             integerArgument(in, arguments, 2, "count", -1)));
}

Value join(In &in, const V &object, const A &arguments)
{
    const Value *items = arguments.get(0, "iterable");
    return makeText(joinedBy(in, *object.text(), items ? in.iterate(*items) : std::vector<Value>()));
}

/// In characters, as Python counts.
Value find(In &in, const V &object, const A &arguments)
{
    const std::string what = textArgument(in, arguments, 0, "sub", "");
    const std::size_t at = object.text()->bytes().find(what);
    in.charge(object.text()->size() / 64);
    return {at == std::string::npos
                ? std::int64_t{-1}
                : static_cast<std::int64_t>(object.text()->slice(0, at).characterCount())};
}

Value rfind(In &in, const V &object, const A &arguments)
{
    const std::size_t at = object.text()->bytes().rfind(textArgument(in, arguments, 0, "sub", ""));
    in.charge(object.text()->size() / 64);
    return {at == std::string::npos
                ? std::int64_t{-1}
                : static_cast<std::int64_t>(object.text()->slice(0, at).characterCount())};
}

Value count(In &in, const V &object, const A &arguments)
{
    const std::string what = textArgument(in, arguments, 0, "sub", "");
    if (what.empty()) {
        return {static_cast<std::int64_t>(object.text()->characterCount()) + 1};
    }
    std::int64_t found = 0;
    const std::string &text = object.text()->bytes();
    in.charge(text.size() / 64);
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + what.size())) {
        ++found;
    }
    return {found};
}

Value isDigit(In & /*in*/, const V &object, const A & /*arguments*/)
{
    const std::string &text = object.text()->bytes();
    return {!text.empty() && text.find_first_not_of("0123456789") == std::string::npos};
}

Value get(In & /*in*/, const V &object, const A &arguments)
{
    const Value *key = arguments.get(0, "key");
    const Value *otherwise = arguments.get(1, "default");
    const auto name = key ? keyOf(*key) : std::nullopt;
    const Value *entry = name ? object.dict()->find(*name) : nullptr;
    return entry ? *entry : otherwise ? *otherwise : Value{None{}};
}

Value items(In &in, const V &object, const A &arguments)
{
    return in.applyFilter("items", object, arguments);
}

Value keys(In &in, const V &object, const A & /*arguments*/)
{
    return in.makeList(in.iterate(object));
}

Value values(In &in, const V &object, const A & /*arguments*/)
{
    std::vector<Value> list;
    for (const auto &[key, value] : object.dict()->entries) {
        list.push_back(value);
    }
    return in.makeList(std::move(list));
}

Value append(In &in, const V &object, const A &arguments)
{
    if (arguments.positional.size() != 1 || object.list()->items.size() >= limits::maxTemplateItems) {
        in.fail("append: expected one value and a list with room for it");
    }
    object.list()->items.push_back(arguments.positional.front());
    return {None{}};
}

Value indexOf(In &in, const V &object, const A &arguments)
{
    const Value *wanted = arguments.get(0, "value");
    const auto &list = object.list()->items;
    const auto found = std::find_if(list.begin(), list.end(),
                                    [&](const Value &item) { return wanted && isEqual(item, *wanted); });
    if (found == list.end()) {
        in.fail("index: the value is not in the list");
    }
    return {static_cast<std::int64_t>(found - list.begin())};
}

} // namespace

const FunctionTable &textMethods()
{
    static const FunctionTable table = {
        {"split", split},
        {"rsplit", rsplit},
        {"splitlines", splitlines},
        {"strip", strip},
        {"lstrip", lstrip},
        {"rstrip", rstrip},
        {"startswith", startswith},
        {"endswith", endswith},
        {"removeprefix", removeprefix},
        {"removesuffix", removesuffix},
        {"replace", replace},
        {"join", join},
        {"find", find},
        {"rfind", rfind},
        {"count", count},
        {"isdigit", isDigit},
        {"upper", [](In &, const V &v, const A &) { return makeText(upperCased(*v.text())); }},
        {"lower", [](In &, const V &v, const A &) { return makeText(lowerCased(*v.text())); }},
        {"capitalize", [](In &, const V &v, const A &) { return makeText(capitalised(*v.text())); }},
        {"title",
         [](In &, const V &v, const A &) {
             return makeText(titleCased(*v.text(), " \t\n\r\f\v-_.,;:!?'\"()[]{}<>/\\|0123456789"));
         }},
    };
    return table;
}

const FunctionTable &containerMethods(bool dict)
{
    static const FunctionTable dictTable = {
        {"get", get}, {"items", items}, {"keys", keys}, {"values", values}};
    static const FunctionTable listTable = {{"append", append}, {"index", indexOf}};
    return dict ? dictTable : listTable;
}

} // namespace bathyscope::jinja
