// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the language brings along: filters, tests, methods and functions, each found by its name.
#pragma once

#include "engine/text/jinja/interpreter.h"

#include <cstdint>

namespace bathyscope::jinja {

using FilterFunction = Value (*)(Interpreter &, const Value &, const Arguments &);
using TestFunction = bool (*)(Interpreter &, const Value &, const Arguments &);
using FunctionTable = std::unordered_map<std::string, FilterFunction>;

const FunctionTable &textFilters();
const FunctionTable &sequenceFilters();
const std::unordered_map<std::string, TestFunction> &tests();

/// Methods take the object in place of the filtered value.
const FunctionTable &textMethods();
const FunctionTable &containerMethods(bool dict);

/// namespace, range, raise_exception … as callable values.
std::unordered_map<std::string, Value> functions();

/// tojson: as Python's json.dumps(value, ensure_ascii=False).
Value toJson(Interpreter &in, const Value &value, const Arguments &arguments);

/// A local time as strftime() writes it.
std::string formatLocalTime(std::time_t time, const std::string &format);

// Arguments with their defaults.
std::string textArgument(Interpreter &in, const Arguments &arguments, std::size_t position,
                         std::string_view name, const std::string &otherwise);
std::int64_t integerArgument(Interpreter &in, const Arguments &arguments, std::size_t position,
                             std::string_view name, std::int64_t otherwise);
bool flagArgument(const Arguments &arguments, std::size_t position, std::string_view name, bool otherwise);

/// `value` as text of its own origins; anything else is an error that names `what`.
const Text &requireText(Interpreter &in, const Value &value, std::string_view what);

// Shared by filters and methods of the same name.
Text replaced(Interpreter &in, const Text &text, const std::string &from, const Text &to, std::int64_t count);
Text joinedBy(Interpreter &in, const Text &separator, const std::vector<Value> &items);
Text upperCased(const Text &text);
Text lowerCased(const Text &text);
Text capitalised(const Text &text);
/// Upper case behind each of `breaks`; ASCII letters only, as the other changes of case.
Text titleCased(const Text &text, std::string_view breaks);

} // namespace bathyscope::jinja
