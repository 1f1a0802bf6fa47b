// SPDX-License-Identifier: GPL-3.0-or-later
//
// Statements and tokens; expressions are in expression_parser.cpp.
#include "engine/text/jinja/parser.h"

#include "engine/limits.h"

#include <algorithm>
#include <fmt/format.h>

namespace bathyscope::jinja {

Block parse(const std::string &source, const std::string &name)
{
    if (source.size() > limits::maxTemplateSource) {
        failAt(name, {}, fmt::format("the template is longer than {} bytes", limits::maxTemplateSource));
    }
    return Parser(tokenize(source, name), name).parseTemplate();
}

DepthGuard::DepthGuard(Parser &parser)
    : m_parser(parser)
{
    if (++m_parser.m_depth > limits::maxTemplateDepth) {
        --m_parser.m_depth;
        parser.fail(fmt::format("nested more than {} deep", limits::maxTemplateDepth));
    }
}

Parser::Parser(std::vector<Token> tokens, const std::string &name)
    : m_tokens(std::move(tokens))
    , m_name(name)
{
}

Block Parser::parseTemplate()
{
    Block block = parseBlock({});
    if (current().kind != TokenKind::End) {
        failUnexpected("the end of the template");
    }
    return block;
}

/// Up to one of the tags in `ends`, whose `{%` is passed, or to the end of the template.
Block Parser::parseBlock(std::initializer_list<std::string_view> ends)
{
    const DepthGuard guard(*this);
    Block block;
    while (current().kind != TokenKind::End) {
        const Token token = take();
        if (token.kind == TokenKind::Data) {
            Statement data;
            data.position = token.position;
            data.text = makeText(token.text);
            block.push_back(std::move(data));
        } else if (token.kind == TokenKind::OutputBegin) {
            Statement output;
            output.kind = Statement::Kind::Output;
            output.position = token.position;
            output.expression = parseTuple(true);
            if (take().kind != TokenKind::OutputEnd) {
                --m_at;
                failUnexpected("\"}}\"");
            }
            block.push_back(std::move(output));
        } else {
            const bool ended = current().kind == TokenKind::Name
                && std::find(ends.begin(), ends.end(), current().text) != ends.end();
            if (ended) {
                return block;
            }
            block.push_back(parseStatement());
        }
    }
    if (ends.size() > 0) {
        failUnexpected(fmt::format("{{% {} %}}", *(ends.end() - 1)));
    }
    return block;
}

Statement Parser::parseStatement()
{
    const Position position = current().position;
    Statement statement;
    const std::string name = expectIdentifier();
    if (name == "if") {
        statement = parseIf();
    } else if (name == "for") {
        statement = parseFor();
    } else if (name == "set") {
        statement = parseSet();
    } else if (name == "macro") {
        statement = parseMacro();
    } else if (name == "call") {
        statement = parseCallBlock();
    } else if (name == "filter") {
        statement = parseFilterBlock();
    } else if (name == "with") {
        statement = parseWith();
    } else if (name == "generation") {
        statement = parseScope("endgeneration");
    } else if (name == "break" || name == "continue") {
        if (m_loops == 0) {
            fail(fmt::format("{} outside of a loop", name));
        }
        statement.kind = name == "break" ? Statement::Kind::Break : Statement::Kind::Continue;
        finishTag();
    } else {
        --m_at;
        fail(fmt::format("the tag \"{}\" is not supported here", name));
    }
    statement.position = position;
    return statement;
}

Statement Parser::parseIf()
{
    Statement statement;
    statement.kind = Statement::Kind::If;
    for (;;) {
        statement.conditions.push_back(parseTuple(true));
        finishTag();
        statement.bodies.push_back(parseBlock({"elif", "else", "endif"}));
        if (!takeName("elif")) {
            break;
        }
    }
    if (takeName("else")) {
        finishTag();
        statement.bodies.push_back(parseBlock({"endif"}));
    }
    finishTag("endif");
    return statement;
}

Statement Parser::parseFor()
{
    Statement statement;
    statement.kind = Statement::Kind::For;
    statement.target = parseTarget(false);
    if (!takeName("in")) {
        failUnexpected("\"in\"");
    }
    statement.expression = parseTuple(false);
    if (takeName("if")) {
        statement.conditions.push_back(parseExpression());
    }
    if (isName("recursive")) {
        fail("recursive loops are not supported");
    }
    finishTag();
    ++m_loops;
    statement.bodies.push_back(parseBlock({"else", "endfor"}));
    --m_loops;
    if (takeName("else")) {
        finishTag();
        statement.bodies.push_back(parseBlock({"endfor"}));
    }
    finishTag("endfor");
    return statement;
}

Statement Parser::parseSet()
{
    Statement statement;
    statement.target = parseTarget(true);
    if (takeOperator("=")) {
        statement.kind = Statement::Kind::Set;
        statement.expression = parseTuple(true);
        finishTag();
        return statement;
    }
    statement.kind = Statement::Kind::SetBlock;
    if (isOperator("|")) {
        statement.expression = parseFilters(nullptr);
    }
    finishTag();
    statement.bodies.push_back(parseBlock({"endset"}));
    finishTag("endset");
    return statement;
}

Statement Parser::parseMacro()
{
    Statement statement;
    statement.kind = Statement::Kind::Macro;
    statement.name = expectIdentifier();
    expectOperator("(");
    statement.parameters = parseParameters();
    finishTag();
    const std::size_t loops = std::exchange(m_loops, 0);
    statement.bodies.push_back(parseBlock({"endmacro"}));
    m_loops = loops;
    finishTag("endmacro");
    return statement;
}

Statement Parser::parseCallBlock()
{
    Statement statement;
    statement.kind = Statement::Kind::CallBlock;
    if (takeOperator("(")) {
        statement.parameters = parseParameters();
    }
    statement.expression = parseExpression();
    if (statement.expression->kind != Expression::Kind::Call) {
        fail("expected a call");
    }
    finishTag();
    const std::size_t loops = std::exchange(m_loops, 0);
    statement.bodies.push_back(parseBlock({"endcall"}));
    m_loops = loops;
    finishTag("endcall");
    return statement;
}

Statement Parser::parseFilterBlock()
{
    Statement statement;
    statement.kind = Statement::Kind::FilterBlock;
    statement.expression = parseFilters(parseFilter(nullptr));
    finishTag();
    statement.bodies.push_back(parseBlock({"endfilter"}));
    finishTag("endfilter");
    return statement;
}

Statement Parser::parseWith()
{
    Statement statement;
    statement.kind = Statement::Kind::With;
    while (current().kind != TokenKind::BlockEnd) {
        if (!statement.parameters.empty()) {
            expectOperator(",");
        }
        std::string name = expectIdentifier();
        expectOperator("=");
        statement.parameters.push_back({std::move(name), parseExpression()});
    }
    finishTag();
    statement.bodies.push_back(parseBlock({"endwith"}));
    finishTag("endwith");
    return statement;
}

Statement Parser::parseScope(std::string_view end)
{
    Statement statement;
    statement.kind = Statement::Kind::Scope;
    finishTag();
    statement.bodies.push_back(parseBlock({end}));
    finishTag(end);
    return statement;
}

/// Of a macro, behind the opening parenthesis.
std::vector<Parameter> Parser::parseParameters()
{
    std::vector<Parameter> parameters;
    while (!takeOperator(")")) {
        if (!parameters.empty()) {
            expectOperator(",");
        }
        Parameter parameter;
        parameter.name = expectIdentifier();
        if (takeOperator("=")) {
            parameter.otherwise = parseExpression();
        }
        parameters.push_back(std::move(parameter));
    }
    return parameters;
}

/// What is assigned to: a name, `namespace.attribute`, or several of them.
ExpressionPtr Parser::parseTarget(bool allowAttribute)
{
    const Position position = current().position;
    std::vector<ExpressionPtr> targets;
    const bool parenthesis = takeOperator("(");
    bool several = parenthesis;
    do {
        if (!targets.empty() && current().kind != TokenKind::Name) {
            break;
        }
        ExpressionPtr target = make(Expression::Kind::Name, current().position);
        target->name = expectIdentifier();
        if (allowAttribute && takeOperator(".")) {
            std::vector<ExpressionPtr> object;
            object.push_back(std::move(target));
            target = make(Expression::Kind::Attribute, position, std::move(object));
            target->name = expectIdentifier();
        }
        targets.push_back(std::move(target));
        several = several || isOperator(",");
    } while (takeOperator(",") && !isName("in"));
    if (parenthesis) {
        expectOperator(")");
    }
    return several ? make(Expression::Kind::Tuple, position, std::move(targets)) : std::move(targets.front());
}

void Parser::finishTag()
{
    if (current().kind != TokenKind::BlockEnd) {
        failUnexpected("\"%}\"");
    }
    take();
}

void Parser::finishTag(std::string_view name)
{
    if (!takeName(name)) {
        failUnexpected(fmt::format("\"{}\"", name));
    }
    if (name == "endmacro" && current().kind == TokenKind::Name) {
        take();
    }
    finishTag();
}

const Token &Parser::peek() const
{
    return m_tokens[std::min(m_at + 1, m_tokens.size() - 1)];
}

Token Parser::take()
{
    Token token = current();
    if (token.kind != TokenKind::End) {
        ++m_at;
    }
    return token;
}

bool Parser::isName(std::string_view text) const
{
    return current().kind == TokenKind::Name && current().text == text;
}

bool Parser::isOperator(std::string_view text) const
{
    return current().kind == TokenKind::Operator && current().text == text;
}

bool Parser::takeName(std::string_view text)
{
    const bool found = isName(text);
    if (found) {
        take();
    }
    return found;
}

bool Parser::takeOperator(std::string_view text)
{
    const bool found = isOperator(text);
    if (found) {
        take();
    }
    return found;
}

void Parser::expectOperator(std::string_view text)
{
    if (!takeOperator(text)) {
        failUnexpected(fmt::format("\"{}\"", text));
    }
}

std::string Parser::expectIdentifier()
{
    if (current().kind != TokenKind::Name) {
        failUnexpected("a name");
    }
    return take().text;
}

void Parser::fail(const std::string &message) const
{
    failAt(m_name, current().position, message);
}

void Parser::failUnexpected(const std::string &expected) const
{
    static constexpr const char *kinds[] = {"text", "\"{{\"", "\"}}\"", "\"{%\"", "\"%}\""};
    const Token &token = current();
    const auto kind = static_cast<std::size_t>(token.kind);
    const std::string found = token.kind == TokenKind::End ? "the end of the template"
        : kind < std::size(kinds)                          ? std::string(kinds[kind])
                                                           : fmt::format("\"{}\"", token.text);
    fail(fmt::format("expected {}, found {}", expected, found));
}

} // namespace bathyscope::jinja
