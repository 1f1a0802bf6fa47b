// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/jinja/parser.h"

#include "engine/limits.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <sstream>

namespace bathyscope::jinja {

namespace {

using Kind = Expression::Kind;

template <typename... Nodes>
std::vector<ExpressionPtr> nodes(Nodes... list)
{
    std::vector<ExpressionPtr> result;
    (result.push_back(std::move(list)), ...);
    return result;
}

} // namespace

ExpressionPtr Parser::make(Kind kind, const Position &position, std::vector<ExpressionPtr> children)
{
    auto node = std::make_unique<Expression>();
    node->kind = kind;
    node->position = position;
    node->children = std::move(children);
    measure(*node);
    return node;
}

/// A long chain of operators is a deep tree although the parser did not recurse for it.
void Parser::measure(Expression &node)
{
    const auto include = [&](const ExpressionPtr &child) {
        node.depth = std::max(node.depth, child ? child->depth + 1 : 1);
    };
    std::for_each(node.children.begin(), node.children.end(), include);
    std::for_each(node.positional.begin(), node.positional.end(), include);
    std::for_each(node.named.begin(), node.named.end(), [&](const auto &entry) { include(entry.second); });
    if (node.depth > limits::maxTemplateDepth) {
        fail(fmt::format("an expression is nested more than {} deep", limits::maxTemplateDepth));
    }
}

/// One expression, or several with commas between them.
ExpressionPtr Parser::parseTuple(bool conditional)
{
    const Position position = current().position;
    const auto next = [&] { return conditional ? parseExpression() : parseOr(); };
    ExpressionPtr first = next();
    if (!isOperator(",")) {
        return first;
    }
    auto items = nodes(std::move(first));
    while (takeOperator(",")) {
        const TokenKind kind = current().kind;
        if (kind == TokenKind::OutputEnd || kind == TokenKind::BlockEnd || isOperator(")")) {
            break;
        }
        items.push_back(next());
    }
    return make(Kind::Tuple, position, std::move(items));
}

ExpressionPtr Parser::parseExpression()
{
    const DepthGuard guard(*this);
    ExpressionPtr node = parseOr();
    while (isName("if")) {
        const Position position = take().position;
        ExpressionPtr condition = parseOr();
        ExpressionPtr otherwise = takeName("else") ? parseExpression() : nullptr;
        node = make(Kind::Conditional, position,
                    nodes(std::move(node), std::move(condition), std::move(otherwise)));
    }
    return node;
}

ExpressionPtr Parser::parseOr()
{
    ExpressionPtr node = parseAnd();
    while (isName("or")) {
        const Position position = take().position;
        node = make(Kind::Or, position, nodes(std::move(node), parseAnd()));
    }
    return node;
}

ExpressionPtr Parser::parseAnd()
{
    ExpressionPtr node = parseNot();
    while (isName("and")) {
        const Position position = take().position;
        node = make(Kind::And, position, nodes(std::move(node), parseNot()));
    }
    return node;
}

ExpressionPtr Parser::parseNot()
{
    if (!isName("not")) {
        return parseCompare();
    }
    const DepthGuard guard(*this);
    const Position position = take().position;
    return make(Kind::Not, position, nodes(parseNot()));
}

ExpressionPtr Parser::parseCompare()
{
    static constexpr std::string_view comparisons[] = {"==", "!=", "<", "<=", ">", ">="};
    const Position position = current().position;
    auto operands = nodes(parseBinary(0));
    std::vector<std::string> operators;
    for (;;) {
        if (current().kind == TokenKind::Operator
            && std::find(std::begin(comparisons), std::end(comparisons), current().text)
                != std::end(comparisons)) {
            operators.push_back(take().text);
        } else if (takeName("in")) {
            operators.emplace_back("in");
        } else if (isName("not") && peek().kind == TokenKind::Name && peek().text == "in") {
            take();
            take();
            operators.emplace_back("not in");
        } else {
            break;
        }
        operands.push_back(parseBinary(0));
    }
    if (operators.empty()) {
        return std::move(operands.front());
    }
    ExpressionPtr node = make(Kind::Compare, position, std::move(operands));
    node->names = std::move(operators);
    return node;
}

/// Jinja2's levels, loosest first: sums, `~`, products, powers; all associate to the left.
ExpressionPtr Parser::parseBinary(std::size_t level)
{
    static const std::vector<std::vector<std::string_view>> levels = {
        {"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}};
    if (level == levels.size()) {
        return parseUnary(true);
    }
    ExpressionPtr node = parseBinary(level + 1);
    while (current().kind == TokenKind::Operator
           && std::find(levels[level].begin(), levels[level].end(), current().text) != levels[level].end()) {
        const Token token = take();
        node = make(Kind::Binary, token.position, nodes(std::move(node), parseBinary(level + 1)));
        node->name = token.text;
    }
    return node;
}

ExpressionPtr Parser::parseUnary(bool withFilters)
{
    const DepthGuard guard(*this);
    const Position position = current().position;
    ExpressionPtr node;
    if (takeOperator("-")) {
        node = make(Kind::Negative, position, nodes(parseUnary(false)));
    } else if (takeOperator("+")) {
        node = make(Kind::Positive, position, nodes(parseUnary(false)));
    } else {
        node = parsePrimary();
    }
    node = parsePostfix(std::move(node));
    return withFilters ? parseFilters(std::move(node)) : std::move(node);
}

ExpressionPtr Parser::parsePrimary()
{
    if (isOperator("(")) {
        return parseParenthesis();
    }
    if (isOperator("{")) {
        return parseDict();
    }
    const Token token = take();
    ExpressionPtr node = make(Kind::Constant, token.position);
    if (token.kind == TokenKind::Name) {
        if (token.text == "true" || token.text == "True") {
            node->constant = {true};
        } else if (token.text == "false" || token.text == "False") {
            node->constant = {false};
        } else if (token.text == "none" || token.text == "None") {
            node->constant = {None{}};
        } else {
            node->kind = Kind::Name;
            node->name = token.text;
        }
    } else if (token.kind == TokenKind::String) {
        std::string text = token.text;
        while (current().kind == TokenKind::String) {
            text += take().text;
        }
        node->constant = makeText(std::move(text));
    } else if (token.kind == TokenKind::Integer) {
        std::int64_t number = 0;
        const char *end = token.text.data() + token.text.size();
        if (std::from_chars(token.text.data(), end, number).ec != std::errc()) {
            --m_at;
            failUnexpected("an integer of 64 bits");
        }
        node->constant = {number};
    } else if (token.kind == TokenKind::Float) {
        std::istringstream stream(token.text);
        stream.imbue(std::locale::classic());
        double number = 0;
        stream >> number;
        node->constant = {number};
    } else if (token.kind == TokenKind::Operator && token.text == "[") {
        node->kind = Kind::List;
        while (!takeOperator("]")) {
            if (!node->children.empty()) {
                expectOperator(",");
                if (takeOperator("]")) {
                    break;
                }
            }
            node->children.push_back(parseExpression());
        }
        measure(*node);
    } else {
        m_at -= token.kind == TokenKind::End ? 0 : 1;
        failUnexpected("an expression");
    }
    return node;
}

ExpressionPtr Parser::parseParenthesis()
{
    const Position position = take().position;
    if (takeOperator(")")) {
        return make(Kind::Tuple, position);
    }
    ExpressionPtr node = parseTuple(true);
    expectOperator(")");
    return node;
}

ExpressionPtr Parser::parseDict()
{
    const Position position = take().position;
    std::vector<ExpressionPtr> entries;
    while (!takeOperator("}")) {
        if (!entries.empty()) {
            expectOperator(",");
            if (takeOperator("}")) {
                break;
            }
        }
        entries.push_back(parseExpression());
        expectOperator(":");
        entries.push_back(parseExpression());
    }
    return make(Kind::Dict, position, std::move(entries));
}

ExpressionPtr Parser::parsePostfix(ExpressionPtr node)
{
    for (;;) {
        const Position position = current().position;
        if (takeOperator(".")) {
            if (current().kind == TokenKind::Integer) {
                ExpressionPtr index = parsePrimary();
                node = make(Kind::Item, position, nodes(std::move(node), std::move(index)));
            } else {
                std::string name = expectIdentifier();
                node = make(Kind::Attribute, position, nodes(std::move(node)));
                node->name = std::move(name);
            }
        } else if (takeOperator("[")) {
            node = parseSubscript(std::move(node));
        } else if (isOperator("(")) {
            node = make(Kind::Call, position, nodes(std::move(node)));
            parseArguments(*node);
        } else {
            return node;
        }
    }
}

ExpressionPtr Parser::parseSubscript(ExpressionPtr object)
{
    const Position position = current().position;
    ExpressionPtr bounds[3];
    std::size_t colons = 0;
    while (!isOperator("]")) {
        if (isOperator(":") && colons < 2) {
            take();
            ++colons;
        } else if (!bounds[colons]) {
            bounds[colons] = parseExpression();
        } else {
            failUnexpected("\"]\"");
        }
    }
    take();
    if (colons == 0) {
        if (!bounds[0]) {
            fail("expected an index");
        }
        return make(Kind::Item, position, nodes(std::move(object), std::move(bounds[0])));
    }
    return make(Kind::Slice, position,
                nodes(std::move(object), std::move(bounds[0]), std::move(bounds[1]), std::move(bounds[2])));
}

/// What may follow a finished operand: filters, tests, and calls of their results.
ExpressionPtr Parser::parseFilters(ExpressionPtr node)
{
    for (;;) {
        if (takeOperator("|")) {
            node = parseFilter(std::move(node));
        } else if (node && takeName("is")) {
            node = parseTest(std::move(node));
        } else {
            return node;
        }
    }
}

ExpressionPtr Parser::parseFilter(ExpressionPtr node)
{
    const Position position = current().position;
    node = make(Kind::Filter, position, nodes(std::move(node)));
    node->name = expectIdentifier();
    if (isOperator("(")) {
        parseArguments(*node);
    }
    return node;
}

ExpressionPtr Parser::parseTest(ExpressionPtr node)
{
    const Position position = current().position;
    const bool negated = takeName("not");
    node = make(Kind::Test, position, nodes(std::move(node)));
    node->name = expectIdentifier();
    const TokenKind kind = current().kind;
    const bool endsHere = kind == TokenKind::Name
        && (isName("else") || isName("or") || isName("and") || isName("if") || isName("is") || isName("in")
            || isName("not") || isName("recursive"));
    const bool literal = kind == TokenKind::String || kind == TokenKind::Integer || kind == TokenKind::Float
        || isOperator("[") || isOperator("{");
    if (isOperator("(")) {
        parseArguments(*node);
    } else if (literal || (kind == TokenKind::Name && !endsHere)) {
        node->positional.push_back(parsePostfix(parsePrimary()));
        measure(*node);
    }
    return negated ? make(Kind::Not, position, nodes(std::move(node))) : std::move(node);
}

void Parser::parseArguments(Expression &call)
{
    expectOperator("(");
    bool first = true;
    while (!takeOperator(")")) {
        if (!first) {
            expectOperator(",");
            if (takeOperator(")")) {
                break;
            }
        }
        first = false;
        const bool named =
            current().kind == TokenKind::Name && peek().kind == TokenKind::Operator && peek().text == "=";
        if (named) {
            std::string name = take().text;
            take();
            call.named.emplace_back(std::move(name), parseExpression());
        } else {
            call.positional.push_back(parseExpression());
        }
    }
    measure(call);
}

} // namespace bathyscope::jinja
