// SPDX-License-Identifier: GPL-3.0-or-later
//
// Functions that every template may call: Jinja2's and those that Hugging Face adds for chat templates.
#include "engine/limits.h"
#include "engine/text/jinja/library.h"

#include <fmt/format.h>

namespace bathyscope::jinja {

namespace {

Value makeDictOf(Interpreter &in, const Arguments &arguments, bool isNamespace)
{
    Dict *dict = in.makeDict();
    dict->isNamespace = isNamespace;
    for (const Value &source : arguments.positional) {
        if (!source.dict()) {
            in.fail(fmt::format("expected a dict to copy, found {}", typeName(source)));
        }
        for (const auto &[key, value] : source.dict()->entries) {
            dict->set(key, value);
        }
    }
    for (const auto &[name, value] : arguments.named) {
        dict->set(name, value);
    }
    return {dict};
}

Value range(Interpreter &in, const Arguments &arguments)
{
    const std::size_t given = arguments.positional.size();
    const auto bound = [&](std::size_t position) {
        return integerArgument(in, arguments, position, "range", 0);
    };
    const std::int64_t begin = given > 1 ? bound(0) : 0;
    const std::int64_t end = bound(given > 1 ? 1 : 0);
    const std::int64_t step = given > 2 ? bound(2) : 1;
    if (step == 0 || given == 0 || given > 3) {
        in.fail("range: expected one to three integers and a step other than 0");
    }
    std::vector<Value> numbers;
    for (std::int64_t at = begin; step > 0 ? at < end : at > end;) {
        if (numbers.size() >= limits::maxTemplateRange) {
            in.fail(fmt::format("range: more than {} numbers", limits::maxTemplateRange));
        }
        numbers.push_back({at});
        if (__builtin_add_overflow(at, step, &at)) {
            break;
        }
    }
    return in.makeList(std::move(numbers));
}

Value raiseException(Interpreter &in, const Arguments &arguments)
{
    const Value *message = arguments.get(0, "message");
    in.fail(message ? in.toText(*message).bytes() : "the template refuses these messages");
}

Value strftimeNow(Interpreter &in, const Arguments &arguments)
{
    return makeText(formatLocalTime(in.now(), textArgument(in, arguments, 0, "format", "%c")));
}

} // namespace

std::unordered_map<std::string, Value> functions()
{
    const std::pair<const char *, std::function<Value(Interpreter &, const Arguments &)>> list[] = {
        {"namespace", [](Interpreter &in, const Arguments &a) { return makeDictOf(in, a, true); }},
        {"dict", [](Interpreter &in, const Arguments &a) { return makeDictOf(in, a, false); }},
        {"range", range},
        {"raise_exception", raiseException},
        {"strftime_now", strftimeNow},
    };
    std::unordered_map<std::string, Value> table;
    for (const auto &[name, function] : list) {
        table[name] = {std::make_shared<const Callable>(Callable{name, function})};
    }
    return table;
}

} // namespace bathyscope::jinja
