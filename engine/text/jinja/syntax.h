// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tree of a parsed template.
#pragma once

#include "engine/text/jinja/lexer.h"
#include "engine/text/jinja/value.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace bathyscope::jinja {

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
    enum class Kind {
        Constant, ///< constant
        Name, ///< name
        List, ///< children
        Tuple, ///< children
        Dict, ///< children: key, value, key, value …
        Attribute, ///< children[0], name
        Item, ///< children[0][children[1]]
        Slice, ///< children[0][children[1]:children[2]:children[3]], each bound may be null
        Call, ///< children[0] called with the arguments
        Filter, ///< children[0] (null inside a filter block), name, arguments
        Test, ///< children[0] is name(arguments)
        Not,
        Negative,
        Positive,
        Binary, ///< children[0] name children[1], an arithmetic operator
        Compare, ///< children[0] names[0] children[1] names[1] children[2] …
        And,
        Or,
        Conditional ///< children: value, condition, otherwise (null: undefined)
    };
    Kind kind = Kind::Constant;
    Position position;
    std::string name;
    Value constant;
    std::vector<ExpressionPtr> children;
    std::vector<ExpressionPtr> positional;
    std::vector<std::pair<std::string, ExpressionPtr>> named;
    std::vector<std::string> names;
    std::size_t depth = 1; ///< of the tree below
};

struct Statement;
using Block = std::vector<Statement>;

struct Parameter {
    std::string name;
    ExpressionPtr otherwise; ///< null: undefined when not given
};

struct Statement {
    enum class Kind {
        Data, ///< text
        Output, ///< expression
        If, ///< conditions[i] guards bodies[i]; one body more: else
        For, ///< target in expression, if conditions[0]: bodies[0], else bodies[1]
        Set, ///< target = expression
        SetBlock, ///< target = bodies[0] (through expression, a filter, where given)
        FilterBlock, ///< bodies[0] through expression
        Macro, ///< name, parameters, bodies[0]
        CallBlock, ///< expression (a call) with caller() = parameters, bodies[0]
        With, ///< parameters with their values, bodies[0]
        Scope, ///< bodies[0]
        Break,
        Continue
    };
    Kind kind = Kind::Data;
    Position position;
    std::string name;
    Value text;
    ExpressionPtr expression;
    ExpressionPtr target; ///< a Name, a Tuple of targets, or an Attribute of a Name
    std::vector<ExpressionPtr> conditions;
    std::vector<Block> bodies;
    std::vector<Parameter> parameters;
};

} // namespace bathyscope::jinja
