// SPDX-License-Identifier: GPL-3.0-or-later
//
// Expressions: names, access, calls; arithmetic and comparison are in operators.cpp.
#include "engine/limits.h"
#include "engine/text/jinja/interpreter.h"
#include "engine/text/jinja/library.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace bathyscope::jinja {

using Kind = Expression::Kind;

void Interpreter::checkSize(const Value &value)
{
    if (const Text *text = value.text()) {
        charge(text->size() / 256);
        if (text->size() > limits::maxTemplateOutput) {
            fail(fmt::format("a string is longer than {} bytes", limits::maxTemplateOutput));
        }
    }
}

Value Interpreter::evaluate(const Expression &node)
{
    charge(1);
    if (++m_depth > limits::maxTemplateDepth) {
        fail(fmt::format("evaluation is nested more than {} deep", limits::maxTemplateDepth));
    }
    m_position = node.position;
    Value value = evaluateNode(node);
    checkSize(value);
    --m_depth;
    return value;
}

Value Interpreter::evaluateNode(const Expression &node)
{
    const auto child = [&](std::size_t i) { return evaluate(*node.children[i]); };
    switch (node.kind) {
    case Kind::Constant:
        return node.constant;
    case Kind::Name:
        return evaluateName(node);
    case Kind::List:
    case Kind::Tuple:
    case Kind::Dict:
        return evaluateContainer(node);
    case Kind::Attribute:
        return attribute(child(0), node.name);
    case Kind::Item: {
        const Value object = child(0);
        return item(object, child(1));
    }
    case Kind::Slice:
        return evaluateSlice(node);
    case Kind::Call:
        return evaluateCall(node);
    case Kind::Filter:
        return evaluateFilter(node);
    case Kind::Test:
        return evaluateTest(node);
    case Kind::Not:
        return {!isTrue(child(0))};
    case Kind::Negative:
    case Kind::Positive:
        return evaluateSign(node);
    case Kind::Binary: {
        const Value left = child(0);
        return binary(node.name, left, child(1));
    }
    case Kind::Compare:
        return evaluateCompare(node);
    case Kind::And:
    case Kind::Or: {
        Value left = child(0);
        return isTrue(left) == (node.kind == Kind::And) ? child(1) : left;
    }
    case Kind::Conditional:
        if (isTrue(child(1))) {
            return child(0);
        }
        return node.children[2] ? child(2) : Value{Undefined{"the missing else of a condition"}};
    }
    return {};
}

Value Interpreter::evaluateName(const Expression &node)
{
    for (const Scope *scope = m_scope; scope; scope = scope->parent) {
        const auto found = scope->variables.find(node.name);
        if (found != scope->variables.end()) {
            return found->second;
        }
    }
    const auto function = m_functions.find(node.name);
    return function != m_functions.end() ? function->second : Value{Undefined{node.name}};
}

Value Interpreter::evaluateContainer(const Expression &node)
{
    if (node.kind == Kind::Dict) {
        Dict *dict = makeDict();
        for (std::size_t i = 0; i + 1 < node.children.size(); i += 2) {
            const Value key = evaluate(*node.children[i]);
            dict->set(key, evaluate(*node.children[i + 1]));
        }
        return {dict};
    }
    std::vector<Value> items;
    for (const ExpressionPtr &child : node.children) {
        items.push_back(evaluate(*child));
    }
    return makeList(std::move(items), node.kind == Kind::Tuple);
}

std::vector<Value> Interpreter::iterate(const Value &value)
{
    std::vector<Value> items;
    if (const List *list = value.list()) {
        items = list->items;
    } else if (const Dict *dict = value.dict(); dict && !dict->isNamespace) {
        for (const auto &[key, entry] : dict->entries) {
            items.push_back(key);
        }
    } else if (const Text *text = value.text()) {
        const std::vector<std::size_t> offsets = text->characterOffsets();
        if (offsets.size() > limits::maxTemplateItems) {
            fail(fmt::format("a string has more than {} characters to go through", limits::maxTemplateItems));
        }
        for (std::size_t i = 0; i + 1 < offsets.size(); ++i) {
            items.push_back(makeText(text->slice(offsets[i], offsets[i + 1] - offsets[i])));
        }
    } else if (!value.isUndefined()) {
        fail(fmt::format("expected something to go through, found {}", typeName(value)));
    }
    charge(items.size() / 8);
    return items;
}

Value Interpreter::attribute(const Value &object, const std::string &name)
{
    if (const auto *undefined = std::get_if<Undefined>(&object.data)) {
        fail(fmt::format("'{}' is undefined: it has no \"{}\"", undefined->what, name));
    }
    const Dict *dict = object.dict();
    const bool plain = !dict || !dict->isNamespace;
    const FunctionTable *methods = object.text() ? &textMethods()
        : plain && (dict || object.list())       ? &containerMethods(dict != nullptr)
                                                 : nullptr;
    if (methods && methods->contains(name)) {
        const FilterFunction method = methods->at(name);
        const auto call = [method, object](Interpreter &in, const Arguments &arguments) {
            return method(in, object, arguments);
        };
        return {std::make_shared<const Callable>(Callable{name, call})};
    }
    const Value *entry = dict ? dict->find("s" + name) : nullptr;
    return entry ? *entry : Value{Undefined{fmt::format("{} entry {}", typeName(object), name)}};
}

Value Interpreter::item(const Value &object, const Value &key)
{
    if (const auto *undefined = std::get_if<Undefined>(&object.data)) {
        fail(fmt::format("'{}' is undefined: it has no entries", undefined->what));
    }
    const auto index = asInteger(key);
    if (const Dict *dict = object.dict()) {
        const auto name = keyOf(key);
        if (const Value *entry = name ? dict->find(*name) : nullptr) {
            return *entry;
        }
    } else if (const List *list = object.list(); list && index) {
        const auto size = static_cast<std::int64_t>(list->items.size());
        const std::int64_t at = *index < 0 ? *index + size : *index;
        if (at >= 0 && at < size) {
            return list->items[static_cast<std::size_t>(at)];
        }
    } else if (const Text *text = object.text(); text && index) {
        const std::vector<std::size_t> offsets = text->characterOffsets();
        charge(text->size() / 64);
        const auto size = static_cast<std::int64_t>(offsets.size() - 1);
        const std::int64_t at = *index < 0 ? *index + size : *index;
        if (at >= 0 && at < size) {
            const std::size_t begin = offsets[static_cast<std::size_t>(at)];
            return makeText(text->slice(begin, offsets[static_cast<std::size_t>(at) + 1] - begin));
        }
    }
    if (const Text *name = key.text()) {
        return attribute(object, name->bytes());
    }
    return {Undefined{fmt::format("{} item {}", typeName(object), toText(key).bytes())}};
}

Value Interpreter::path(const Value &object, const std::string &dotted)
{
    Value value = object;
    for (std::size_t at = 0; at <= dotted.size();) {
        const std::size_t dot = std::min(dotted.find('.', at), dotted.size());
        const std::string part = dotted.substr(at, dot - at);
        std::int64_t index = 0;
        const auto parsed = std::from_chars(part.data(), part.data() + part.size(), index);
        const bool number = parsed.ec == std::errc() && parsed.ptr == part.data() + part.size();
        value = item(value, number ? Value{index} : makeText(part));
        at = dot + 1;
    }
    return value;
}

/// Python's slice of a list or string.
Value Interpreter::evaluateSlice(const Expression &node)
{
    const Value object = evaluate(*node.children[0]);
    const Text *text = object.text();
    if (!text && !object.list()) {
        fail(fmt::format("cannot slice {}", typeName(object)));
    }
    const auto bound = [&](std::size_t child) -> std::optional<std::int64_t> {
        const Value value = node.children[child] ? evaluate(*node.children[child]) : Value{None{}};
        if (!value.isNone() && !asInteger(value)) {
            fail(fmt::format("a slice needs integers, found {}", typeName(value)));
        }
        return asInteger(value);
    };
    const std::vector<std::size_t> offsets = text ? text->characterOffsets() : std::vector<std::size_t>();
    const auto size = static_cast<std::int64_t>(text ? offsets.size() - 1 : object.list()->items.size());
    const auto given = std::pair{bound(1), bound(2)};
    const std::int64_t step = std::clamp<std::int64_t>(bound(3).value_or(1), -size - 1, size + 1);
    if (step == 0) {
        fail("the step of a slice is 0");
    }
    const std::int64_t lowest = step > 0 ? 0 : -1;
    const std::int64_t highest = step > 0 ? size : size - 1;
    const auto clamped = [&](std::optional<std::int64_t> value, std::int64_t otherwise) {
        const std::int64_t at = value ? std::clamp(*value, -size - 1, size) : otherwise;
        return std::clamp(value && at < 0 ? at + size : at, lowest, highest);
    };
    const std::int64_t begin = clamped(given.first, step > 0 ? lowest : highest);
    const std::int64_t end = clamped(given.second, step > 0 ? highest : lowest);
    charge(static_cast<std::size_t>(size) / 64);
    if (text && step == 1) {
        const std::size_t first = offsets[static_cast<std::size_t>(begin)];
        const std::size_t last = offsets[static_cast<std::size_t>(std::max(begin, end))];
        return makeText(text->slice(first, last - first));
    }
    Text sliced;
    std::vector<Value> items;
    for (std::int64_t at = begin; step > 0 ? at < end : at > end; at += step) {
        const auto index = static_cast<std::size_t>(at);
        if (text) {
            sliced.append(text->slice(offsets[index], offsets[index + 1] - offsets[index]));
        } else {
            items.push_back(object.list()->items[index]);
        }
    }
    return text ? makeText(std::move(sliced)) : makeList(std::move(items), object.list()->tuple);
}

Arguments Interpreter::evaluateArguments(const Expression &node)
{
    Arguments arguments;
    for (const ExpressionPtr &argument : node.positional) {
        arguments.positional.push_back(evaluate(*argument));
    }
    for (const auto &[name, argument] : node.named) {
        arguments.named.emplace_back(name, evaluate(*argument));
    }
    return arguments;
}

Value Interpreter::evaluateCall(const Expression &node)
{
    const Value callee = evaluate(*node.children.front());
    const Arguments arguments = evaluateArguments(node);
    m_position = node.position;
    return call(callee, arguments);
}

Value Interpreter::call(const Value &callee, const Arguments &arguments)
{
    if (const auto *undefined = std::get_if<Undefined>(&callee.data)) {
        fail(fmt::format("'{}' is undefined and cannot be called", undefined->what));
    }
    if (!callee.callable()) {
        fail(fmt::format("cannot call {}", typeName(callee)));
    }
    return callee.callable()->call(*this, arguments);
}

Value Interpreter::evaluateFilter(const Expression &node)
{
    const Expression *operand = node.children.front().get();
    const Value value = operand ? evaluate(*operand) : *m_filtered;
    const Arguments arguments = evaluateArguments(node);
    m_position = node.position;
    return applyFilter(node.name, value, arguments);
}

Value Interpreter::evaluateTest(const Expression &node)
{
    const Value value = evaluate(*node.children.front());
    const Arguments arguments = evaluateArguments(node);
    m_position = node.position;
    return {applyTest(node.name, value, arguments)};
}

Value Interpreter::applyFilter(const std::string &name, const Value &value, const Arguments &arguments)
{
    charge(1);
    for (const FunctionTable *table : {&textFilters(), &sequenceFilters()}) {
        const auto filter = table->find(name);
        if (filter != table->end()) {
            return filter->second(*this, value, arguments);
        }
    }
    fail(fmt::format("there is no filter \"{}\"", name));
}

bool Interpreter::applyTest(const std::string &name, const Value &value, const Arguments &arguments)
{
    charge(1);
    const auto test = tests().find(name);
    if (test == tests().end()) {
        fail(fmt::format("there is no test \"{}\"", name));
    }
    return test->second(*this, value, arguments);
}

} // namespace bathyscope::jinja
