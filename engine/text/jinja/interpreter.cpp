// SPDX-License-Identifier: GPL-3.0-or-later
//
// Statements; expressions are in evaluate.cpp.
#include "engine/text/jinja/interpreter.h"

#include "engine/limits.h"
#include "engine/text/jinja/library.h"

#include <fmt/format.h>

namespace bathyscope::jinja {

/// Makes a scope the current one for as long as the guard lives.
class Interpreter::ScopeGuard {
public:
    ScopeGuard(Interpreter &in, Scope *parent)
        : m_in(in)
        , m_previous(in.m_scope)
    {
        m_scope.parent = parent;
        in.m_scope = &m_scope;
    }
    ~ScopeGuard() { m_in.m_scope = m_previous; }
    ScopeGuard(const ScopeGuard &) = delete;
    ScopeGuard &operator=(const ScopeGuard &) = delete;

private:
    Interpreter &m_in;
    Scope *m_previous;
    Scope m_scope;
};

Interpreter::Interpreter(const std::string &name, Clock clock)
    : m_name(name)
    , m_clock(std::move(clock))
    , m_functions(functions())
{
}

void Interpreter::define(const std::string &variable, const Value &value)
{
    m_global.variables[variable] = value;
}

Text Interpreter::render(const Block &block)
{
    return capture(block);
}

Value Interpreter::makeList(std::vector<Value> items, bool tuple)
{
    if (items.size() > limits::maxTemplateItems) {
        fail(fmt::format("a list has more than {} items", limits::maxTemplateItems));
    }
    charge(items.size() / 8);
    m_lists.push_back({std::move(items), tuple});
    return {&m_lists.back()};
}

Dict *Interpreter::makeDict()
{
    return &m_dicts.emplace_back();
}

void Interpreter::charge(std::size_t steps)
{
    m_steps += steps;
    if (m_steps > limits::maxTemplateSteps) {
        fail(fmt::format("the template takes more than {} steps", limits::maxTemplateSteps));
    }
}

void Interpreter::fail(const std::string &message) const
{
    failAt(m_name, m_position, message);
}

void Interpreter::output(const Text &text)
{
    if (m_output->size() + text.size() > limits::maxTemplateOutput) {
        fail(fmt::format("the output is longer than {} bytes", limits::maxTemplateOutput));
    }
    charge(text.size() / 256);
    m_output->append(text);
}

Text Interpreter::capture(const Block &block)
{
    Text text;
    Text *previous = std::exchange(m_output, &text);
    execute(block);
    m_output = previous;
    return text;
}

Interpreter::Flow Interpreter::execute(const Block &block)
{
    if (++m_depth > limits::maxTemplateDepth) {
        fail(fmt::format("evaluation is nested more than {} deep", limits::maxTemplateDepth));
    }
    Flow flow = Flow::Next;
    for (std::size_t i = 0; i < block.size() && flow == Flow::Next; ++i) {
        m_position = block[i].position;
        charge(1);
        flow = executeStatement(block[i]);
    }
    --m_depth;
    return flow;
}

Interpreter::Flow Interpreter::executeStatement(const Statement &statement)
{
    using Kind = Statement::Kind;
    switch (statement.kind) {
    case Kind::Data:
        output(*statement.text.text());
        break;
    case Kind::Output:
        output(toText(evaluate(*statement.expression)));
        break;
    case Kind::If:
        return executeIf(statement);
    case Kind::For:
        return executeFor(statement);
    case Kind::Set:
    case Kind::SetBlock:
    case Kind::FilterBlock:
        executeSet(statement);
        break;
    case Kind::Macro:
        m_scope->variables[statement.name] = makeMacro(statement, &m_global);
        break;
    case Kind::CallBlock:
        executeCallBlock(statement);
        break;
    case Kind::With:
    case Kind::Scope: {
        std::vector<Value> values;
        for (const Parameter &parameter : statement.parameters) {
            values.push_back(evaluate(*parameter.otherwise));
        }
        const ScopeGuard scope(*this, m_scope);
        for (std::size_t i = 0; i < values.size(); ++i) {
            m_scope->variables[statement.parameters[i].name] = values[i];
        }
        return execute(statement.bodies.front());
    }
    case Kind::Break:
        return Flow::Break;
    case Kind::Continue:
        return Flow::Continue;
    }
    return Flow::Next;
}

Interpreter::Flow Interpreter::executeIf(const Statement &statement)
{
    for (std::size_t i = 0; i < statement.conditions.size(); ++i) {
        if (isTrue(evaluate(*statement.conditions[i]))) {
            return execute(statement.bodies[i]);
        }
    }
    const bool hasElse = statement.bodies.size() > statement.conditions.size();
    return hasElse ? execute(statement.bodies.back()) : Flow::Next;
}

Interpreter::Flow Interpreter::executeFor(const Statement &statement)
{
    std::vector<Value> items = iterate(evaluate(*statement.expression));
    if (!statement.conditions.empty()) {
        std::vector<Value> chosen;
        for (const Value &candidate : items) {
            const ScopeGuard scope(*this, m_scope);
            assign(*statement.target, candidate);
            if (isTrue(evaluate(*statement.conditions.front()))) {
                chosen.push_back(candidate);
            }
        }
        items = std::move(chosen);
    }
    if (items.empty()) {
        return statement.bodies.size() > 1 ? execute(statement.bodies[1]) : Flow::Next;
    }
    Dict *loop = makeDict();
    for (std::size_t i = 0; i < items.size(); ++i) {
        const ScopeGuard scope(*this, m_scope);
        updateLoop(*loop, items, i);
        m_scope->variables["loop"] = {loop};
        assign(*statement.target, items[i]);
        if (execute(statement.bodies.front()) == Flow::Break) {
            break;
        }
    }
    return Flow::Next;
}

void Interpreter::updateLoop(Dict &loop, const std::vector<Value> &items, std::size_t index)
{
    charge(16); // making these entries costs about as much as that many nodes
    const auto number = [](std::size_t value) { return Value{static_cast<std::int64_t>(value)}; };
    const Value nothing{Undefined{"loop item"}};
    loop.set("index", number(index + 1));
    loop.set("index0", number(index));
    loop.set("revindex", number(items.size() - index));
    loop.set("revindex0", number(items.size() - index - 1));
    loop.set("first", {index == 0});
    loop.set("last", {index + 1 == items.size()});
    loop.set("length", number(items.size()));
    loop.set("previtem", index > 0 ? items[index - 1] : nothing);
    loop.set("nextitem", index + 1 < items.size() ? items[index + 1] : nothing);
    const auto cycle = [index](Interpreter &in, const Arguments &arguments) {
        if (arguments.positional.empty()) {
            in.fail("loop.cycle needs values");
        }
        return arguments.positional[index % arguments.positional.size()];
    };
    loop.set("cycle", {std::make_shared<const Callable>(Callable{"cycle", cycle})});
}

void Interpreter::assign(const Expression &target, const Value &value)
{
    if (target.kind == Expression::Kind::Name) {
        m_scope->variables[target.name] = value;
    } else if (target.kind == Expression::Kind::Attribute) {
        const Value object = evaluate(*target.children.front());
        if (!object.dict() || !object.dict()->isNamespace) {
            fail(fmt::format("cannot assign attribute \"{}\": expected a namespace, found {}", target.name,
                             typeName(object)));
        }
        object.dict()->set(target.name, value);
    } else {
        const std::vector<Value> items = iterate(value);
        if (items.size() != target.children.size()) {
            fail(fmt::format("cannot unpack: expected {} values, found {}", target.children.size(),
                             items.size()));
        }
        for (std::size_t i = 0; i < items.size(); ++i) {
            assign(*target.children[i], items[i]);
        }
    }
}

/// `{% set %}` in both forms, and `{% filter %}`, which puts the filtered text out.
void Interpreter::executeSet(const Statement &statement)
{
    if (statement.kind == Statement::Kind::Set) {
        assign(*statement.target, evaluate(*statement.expression));
        return;
    }
    Value text;
    {
        const ScopeGuard scope(*this, m_scope);
        text = makeText(capture(statement.bodies.front()));
    }
    if (statement.expression) {
        const Value *previous = std::exchange(m_filtered, &text);
        const Value filtered = evaluate(*statement.expression);
        m_filtered = previous;
        text = filtered;
    }
    if (statement.kind == Statement::Kind::SetBlock) {
        assign(*statement.target, text);
    } else {
        output(toText(text));
    }
}

Value Interpreter::makeMacro(const Statement &statement, Scope *outer)
{
    const auto call = [&statement, outer](Interpreter &in, const Arguments &arguments) {
        if (arguments.positional.size() > statement.parameters.size()) {
            in.fail(fmt::format("macro \"{}\": expected at most {} arguments, found {}", statement.name,
                                statement.parameters.size(), arguments.positional.size()));
        }
        const ScopeGuard scope(in, outer);
        for (std::size_t i = 0; i < statement.parameters.size(); ++i) {
            const Parameter &parameter = statement.parameters[i];
            const Value *given = arguments.get(i, parameter.name);
            in.m_scope->variables[parameter.name] = given ? *given
                : parameter.otherwise                     ? in.evaluate(*parameter.otherwise)
                                                          : Value{Undefined{parameter.name}};
        }
        if (const Value *caller = arguments.get(arguments.positional.size(), "caller")) {
            in.m_scope->variables["caller"] = *caller;
        }
        return makeText(in.capture(statement.bodies.front()));
    };
    return {std::make_shared<const Callable>(Callable{statement.name, call})};
}

/// `{% call macro() %}`: the block is what caller() gives inside the macro.
void Interpreter::executeCallBlock(const Statement &statement)
{
    Arguments arguments = evaluateArguments(*statement.expression);
    arguments.named.emplace_back("caller", makeMacro(statement, m_scope));
    output(toText(call(evaluate(*statement.expression->children.front()), arguments)));
}

} // namespace bathyscope::jinja
