// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/text/jinja/syntax.h"
#include "engine/text/jinja/value.h"

#include <ctime>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

namespace bathyscope::jinja {

/// One rendering of one template: owns every list, dict and scope that it makes and counts its steps.
class Interpreter {
public:
    using Clock = std::function<std::time_t()>;

    /// `name` is used in errors; `clock` tells strftime_now the time.
    Interpreter(const std::string &name, Clock clock);

    /// Makes a variable of the template.
    void define(const std::string &variable, const Value &value);

    Text render(const Block &block);

    // What filters, tests, methods and functions need.
    Value makeList(std::vector<Value> items, bool tuple = false);
    Dict *makeDict();
    void charge(std::size_t steps);
    [[noreturn]] void fail(const std::string &message) const;
    Value call(const Value &callee, const Arguments &arguments);
    /// The items of a list or tuple, keys of a dict, characters of a string; nothing of an undefined value.
    std::vector<Value> iterate(const Value &value);
    /// `object.name` as Python's getattr() first, then as an entry.
    Value attribute(const Value &object, const std::string &name);
    Value item(const Value &object, const Value &key);
    /// Follows "a.b.0".
    Value path(const Value &object, const std::string &dotted);
    Value applyFilter(const std::string &name, const Value &value, const Arguments &arguments);
    bool applyTest(const std::string &name, const Value &value, const Arguments &arguments);
    Value binary(const std::string &name, const Value &left, const Value &right);
    bool compare(const std::string &name, const Value &left, const Value &right);
    bool contains(const Value &container, const Value &value);
    /// Python's str().
    Text toText(const Value &value, std::size_t depth = 0);
    [[nodiscard]] std::time_t now() const { return m_clock(); }

private:
    struct Scope {
        std::unordered_map<std::string, Value> variables;
        Scope *parent = nullptr;
    };
    class ScopeGuard;
    enum class Flow { Next, Break, Continue };

    // statements (interpreter.cpp)
    Flow execute(const Block &block);
    Flow executeStatement(const Statement &statement);
    Flow executeIf(const Statement &statement);
    Flow executeFor(const Statement &statement);
    void executeSet(const Statement &statement);
    void executeCallBlock(const Statement &statement);
    void updateLoop(Dict &loop, const std::vector<Value> &items, std::size_t index);
    void assign(const Expression &target, const Value &value);
    Value makeMacro(const Statement &statement, Scope *outer);
    Text capture(const Block &block);
    void output(const Text &text);

    // expressions (evaluate.cpp)
    Value evaluate(const Expression &node);
    Value evaluateNode(const Expression &node);
    Value evaluateName(const Expression &node);
    Value evaluateContainer(const Expression &node);
    Value evaluateSlice(const Expression &node);
    Value evaluateCall(const Expression &node);
    Value evaluateFilter(const Expression &node);
    Value evaluateTest(const Expression &node);
    Value evaluateCompare(const Expression &node);
    Value evaluateSign(const Expression &node);
    Arguments evaluateArguments(const Expression &node);
    void checkSize(const Value &value);

    const std::string &m_name;
    Clock m_clock;
    std::deque<List> m_lists;
    std::deque<Dict> m_dicts;
    std::unordered_map<std::string, Value> m_functions;
    Scope m_global;
    Scope *m_scope = &m_global;
    Text *m_output = nullptr;
    const Value *m_filtered = nullptr; ///< the text of the filter block being left
    Position m_position;
    std::size_t m_steps = 0;
    std::size_t m_depth = 0;
};

} // namespace bathyscope::jinja
