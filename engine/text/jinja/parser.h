// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/text/jinja/syntax.h"

#include <initializer_list>
#include <string_view>

namespace bathyscope::jinja {

/// The tree of a whole template. Throws Error naming `name`, line and column for a mistake, an unsupported
/// construct or an exceeded limit.
Block parse(const std::string &source, const std::string &name);

/// A recursive-descent parser with the precedence of Jinja2's (jinja2/parser.py).
class Parser {
public:
    Parser(std::vector<Token> tokens, const std::string &name);

    Block parseTemplate();

private:
    friend class DepthGuard;

    // statements
    Block parseBlock(std::initializer_list<std::string_view> ends);
    Statement parseStatement();
    Statement parseIf();
    Statement parseFor();
    Statement parseSet();
    Statement parseMacro();
    Statement parseCallBlock();
    Statement parseFilterBlock();
    Statement parseWith();
    Statement parseScope(std::string_view end);
    std::vector<Parameter> parseParameters();
    ExpressionPtr parseTarget(bool allowAttribute);
    void finishTag();
    void finishTag(std::string_view name);

    // expressions
    ExpressionPtr parseTuple(bool conditional);
    ExpressionPtr parseExpression();
    ExpressionPtr parseOr();
    ExpressionPtr parseAnd();
    ExpressionPtr parseNot();
    ExpressionPtr parseCompare();
    ExpressionPtr parseBinary(std::size_t level);
    ExpressionPtr parseUnary(bool withFilters);
    ExpressionPtr parsePrimary();
    ExpressionPtr parseParenthesis();
    ExpressionPtr parseDict();
    ExpressionPtr parsePostfix(ExpressionPtr node);
    ExpressionPtr parseSubscript(ExpressionPtr object);
    ExpressionPtr parseFilters(ExpressionPtr node);
    ExpressionPtr parseFilter(ExpressionPtr node);
    ExpressionPtr parseTest(ExpressionPtr node);
    void parseArguments(Expression &call);

    ExpressionPtr make(Expression::Kind kind, const Position &position,
                       std::vector<ExpressionPtr> children = {});
    void measure(Expression &node);

    // tokens
    [[nodiscard]] const Token &current() const { return m_tokens[m_at]; }
    [[nodiscard]] const Token &peek() const;
    Token take();
    [[nodiscard]] bool isName(std::string_view text) const;
    [[nodiscard]] bool isOperator(std::string_view text) const;
    bool takeName(std::string_view text);
    bool takeOperator(std::string_view text);
    void expectOperator(std::string_view text);
    std::string expectIdentifier();
    [[noreturn]] void fail(const std::string &message) const;
    [[noreturn]] void failUnexpected(const std::string &expected) const;

    std::vector<Token> m_tokens;
    const std::string &m_name;
    std::size_t m_at = 0;
    std::size_t m_depth = 0;
    std::size_t m_loops = 0; ///< loops around the current place, for break and continue
};

/// Counts how deeply constructs are nested and refuses too much.
class DepthGuard {
public:
    explicit DepthGuard(Parser &parser);
    ~DepthGuard() { --m_parser.m_depth; }
    DepthGuard(const DepthGuard &) = delete;
    DepthGuard &operator=(const DepthGuard &) = delete;

private:
    Parser &m_parser;
};

} // namespace bathyscope::jinja
