// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/error.h"
#include "engine/text/chat_template.h"
#include "engine/text/prompt.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bathyscope {
namespace {

std::string render(const std::string &source, const nlohmann::json &variables = nlohmann::json::object())
{
    return joined(ChatTemplate(source, "test").render(variables));
}

std::string errorOf(const std::string &source)
{
    try {
        return "no error: " + render(source);
    } catch (const Error &error) {
        return error.what();
    }
}

/// Expected texts are those of Jinja2 3.1.
TEST(Jinja, Expressions)
{
    EXPECT_EQ(render("{{ 1 + 2 * 3 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 }} {{ 1 / 2 }}"),
              "7 3 -4 2 8 0.5");
    EXPECT_EQ(render("{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 'a' in 'abc' }} {{ 4 not in [1, 2] }}"),
              "True False True True");
    EXPECT_EQ(render("{{ 'a' ~ 1 ~ none }} {{ 'a' 'b' }} {{ 'x' * 3 }} {{ [1] + [2] }}"),
              "a1None ab xxx [1, 2]");
    EXPECT_EQ(render("{{ 'abcdef'[::-2] }} {{ 'äöü'[1:] }} {{ [1,2,3][-1] }} {{ (1,) }} {{ {'a': 1}.a }}"),
              "fdb öü 3 (1,) 1");
    EXPECT_EQ(render("{{ 'y' if false else 'n' }}{{ 'y' if false }}|{{ missing }}|{{ not missing }}"),
              "n||True");
    EXPECT_EQ(render("{{ 'a\\n\\u00e4\\'' }}"), "a\nä'");
}

TEST(Jinja, Statements)
{
    EXPECT_EQ(render("{% for i in range(5) if i is odd %}{{ loop.index }}:{{ i }}{{ ',' if not loop.last }}"
                     "{% else %}none{% endfor %}"),
              "1:1,2:3");
    EXPECT_EQ(render("{% for i in [] %}{% else %}none{% endfor %}"), "none");
    EXPECT_EQ(
        render("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}{% if i > 3 %}{% break %}"
               "{% endif %}{{ i }}{% endfor %}"),
        "023");
    EXPECT_EQ(render("{% for x in 'abc' %}{{ loop.previtem }}<{{ loop.nextitem }}{% endfor %}"), "<ba<cb<");
    EXPECT_EQ(render("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}"), "1");
    EXPECT_EQ(render("{% set n = namespace(x=1) %}{% for i in [1] %}{% set n.x = 2 %}{% endfor %}{{ n.x }}"),
              "2");
    EXPECT_EQ(render("{% macro m(a, b='d') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(b=2, a=3) }}"),
              "1d32");
    EXPECT_EQ(render("{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}x{% endcall %}"), "[x]");
    EXPECT_EQ(render("{% set a, b = 1, 2 %}{{ b }}{% set c | upper %}x{% endset %}{{ c }}"), "2X");
    EXPECT_EQ(render("{% raw %}{{ x }}{% endraw %}{# no #}{% generation %}g{% endgeneration %}"), "{{ x }}g");
}

TEST(Jinja, WhiteSpace)
{
    EXPECT_EQ(render("a\n  {% if true %}\n  b\n  {% endif %}\nc\n"), "a\n  b\nc");
    EXPECT_EQ(render("a \n {%- if true -%} \n b {%- endif %} c"), "ab c");
    EXPECT_EQ(render("a\n  {%+ if true %}b{% endif +%}\nc"), "a\n  b\nc");
    EXPECT_EQ(render("  {{ 1 }}  \n{# x #}\n  {#- y -#}  z"), "  1  \nz");
}

TEST(Jinja, FiltersTestsAndMethods)
{
    const nlohmann::json variables = {{"d", {{"b", 1}, {"a", "<x>"}}},
                                      {"l", {{{"n", 2}, {"k", "u"}}, {{"n", 1}, {"k", "v"}}}}};
    EXPECT_EQ(render("{{ d | tojson }} {{ d | dictsort }} {{ d | items | first }}", variables),
              "{\"a\": \"<x>\", \"b\": 1} [('a', '<x>'), ('b', 1)] ('a', '<x>')");
    EXPECT_EQ(render("{{ d | tojson(indent=2) }}", variables), "{\n  \"a\": \"<x>\",\n  \"b\": 1\n}");
    EXPECT_EQ(render("{{ l | selectattr('k', 'equalto', 'v') | map(attribute='n') | list }}"
                     "{{ l | sort(attribute='n') | map(attribute='k') | join('-') }}",
                     variables),
              "[1]v-u");
    EXPECT_EQ(
        render(
            "{{ ' x ' | trim }}{{ 'äb' | length }}{{ 2.5 | round }}{{ '7' | int + 1 }}{{ x | default(3) }}"),
        "x22.083");
    EXPECT_EQ(
        render("{{ 'hello wORLD-x' | title }} {{ 'aBC' | capitalize }} {{ [2, 1, 2] | unique | list }}"),
        "Hello World-X Abc [2, 1]");
    EXPECT_EQ(render("{{ 'a b  c'.split() }} {{ 'a,b,c'.split(',', 1)[1] }} {{ 'xxaxx'.strip('x') }}"
                     "{{ 'abc'.startswith('ab') }}{{ 'abc'.find('c') }}"),
              "['a', 'b', 'c'] b,c aTrue2");
    EXPECT_EQ(render("{{ 1 is number }}{{ true is integer }}{{ {} is mapping }}{{ 'a' is iterable }}"
                     "{{ x is defined and x }}{{ none is none }}"),
              "TrueFalseTrueTrueFalseTrue");
    EXPECT_EQ(render("{{ d.get('zz', 5) }}{{ d.keys() | list }}{{ 'a\nb' | indent(2) }}", variables),
              "5['a', 'b']a\n  b");
}

TEST(Jinja, TheClockCanBeSet)
{
    ChatTemplate chatTemplate("{{ strftime_now('%Y') }}", "test");
    chatTemplate.setClock([] { return std::time_t{1'000'000'000}; });
    EXPECT_EQ(joined(chatTemplate.render(nlohmann::json::object())), "2001");
}

TEST(Jinja, ErrorsNameThePlace)
{
    EXPECT_NE(errorOf("a\n{{ 1 + }}").find("test:2:"), std::string::npos) << errorOf("a\n{{ 1 + }}");
    EXPECT_NE(errorOf("{{ raise_exception('no!') }}").find("no!"), std::string::npos);
    EXPECT_NE(errorOf("{{ x.y }}").find("'x' is undefined"), std::string::npos);
    for (const char *source :
         {"{% if true %}", "{% include 'x' %}", "{{ 'a", "{{ x | nothing }}", "{{ x is nothing }}",
          "{{ 1 // 0 }}", "{{ 9223372036854775807 + 1 }}", "{# ", "{% break %}", "{{ }}"}) {
        EXPECT_EQ(errorOf(source).rfind("test:", 0), 0U) << source << ": " << errorOf(source);
    }
}

TEST(Jinja, LimitsHold)
{
    const auto repeated = [](const std::string &text, int times) {
        std::string result;
        for (int i = 0; i < times; ++i) {
            result += text;
        }
        return result;
    };
    for (const std::string &source :
         {"{{ " + repeated("(", 5000) + "1" + repeated(")", 5000) + " }}",
          "{{ 1" + repeated(" + 1", 5000) + " }}", "{{ " + repeated("not ", 5000) + "1 }}",
          repeated("{% if 1 %}", 5000), std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
          std::string("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"),
          std::string("{% set n = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}"
                      "{% endfor %}"),
          std::string("{{ range(1000000000) }}"), std::string("{{ 'a' * 1000000000 }}"),
          std::string("{% set l = [] %}{% set x = l.append(l) %}{{ l }}"), std::string(2'000'000, 'a')}) {
        EXPECT_EQ(errorOf(source).rfind("test:", 0), 0U)
            << source.substr(0, 80) << errorOf(source).substr(0, 200);
    }
}

} // namespace
} // namespace bathyscope
