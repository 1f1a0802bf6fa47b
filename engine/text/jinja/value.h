// SPDX-License-Identifier: GPL-3.0-or-later
//
// The values a template computes with: Python's, as far as Jinja needs them.
#pragma once

#include "engine/text/jinja/text.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

namespace bathyscope::jinja {

class Interpreter;
struct List;
struct Dict;
struct Callable;
struct Arguments;

/// What a missing variable or entry is; `what` is for errors: "'message.name'".
struct Undefined {
    std::string what;
};
struct None { };

/// Lists and dicts live as long as the rendering they belong to (Interpreter owns them), so that a value
/// can be copied freely and a cycle cannot leak.
struct Value {
    std::variant<Undefined, None, bool, std::int64_t, double, std::shared_ptr<const Text>, List *, Dict *,
                 std::shared_ptr<const Callable>>
        data;

    [[nodiscard]] bool isUndefined() const { return std::holds_alternative<Undefined>(data); }
    [[nodiscard]] bool isNone() const { return std::holds_alternative<None>(data); }
    [[nodiscard]] const bool *boolean() const { return std::get_if<bool>(&data); }
    [[nodiscard]] const std::int64_t *integer() const { return std::get_if<std::int64_t>(&data); }
    [[nodiscard]] const double *real() const { return std::get_if<double>(&data); }
    [[nodiscard]] const Text *text() const;
    [[nodiscard]] List *list() const;
    [[nodiscard]] Dict *dict() const;
    [[nodiscard]] const Callable *callable() const;
};

struct List {
    std::vector<Value> items;
    bool tuple = false;
};

/// Keeps the order of insertion.
struct Dict {
    std::vector<std::pair<Value, Value>> entries;
    std::unordered_map<std::string, std::size_t> index; ///< by keyOf()
    bool isNamespace = false; ///< made by namespace(): its entries may be set

    [[nodiscard]] const Value *find(const std::string &key) const;
    void set(const Value &key, const Value &value);
    void set(const std::string &key, const Value &value);
};

struct Arguments {
    std::vector<Value> positional;
    std::vector<std::pair<std::string, Value>> named;

    /// The argument at `position` or called `name`; null when it was not given.
    [[nodiscard]] const Value *get(std::size_t position, std::string_view name) const;
};

struct Callable {
    std::string name;
    std::function<Value(Interpreter &, const Arguments &)> call;
};

Value makeText(Text text);
Value makeText(std::string bytes, Origin origin = Origin::Scaffolding);

/// The text by which a dict finds a key; nothing for what cannot be a key.
std::optional<std::string> keyOf(const Value &value);

bool isTrue(const Value &value);

/// A bool, integer or float as a number; nothing for all others.
std::optional<double> asNumber(const Value &value);

/// A bool or integer; nothing for all others.
std::optional<std::int64_t> asInteger(const Value &value);

/// Python's name of the type: "str", "dict".
std::string typeName(const Value &value);

/// Python's ==. Throws Error for values that hold themselves or are nested beyond reason.
bool isEqual(const Value &a, const Value &b);

/// Python's repr() of a float.
std::string realToString(double value);

} // namespace bathyscope::jinja
