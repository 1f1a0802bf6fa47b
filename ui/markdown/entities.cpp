// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/markdown/entities.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace bathyscope::ui::markdown {

namespace {

struct Named {
    std::string_view name;
    char32_t code;
};

/// The names that people and models write, sorted; HTML has two thousand more.
constexpr Named named[] = {
    {"Alpha", 0x391},   {"Beta", 0x392},   {"Delta", 0x394},   {"Gamma", 0x393},   {"Lambda", 0x39B},
    {"Omega", 0x3A9},   {"Phi", 0x3A6},    {"Pi", 0x3A0},      {"Psi", 0x3A8},     {"Sigma", 0x3A3},
    {"Theta", 0x398},   {"Xi", 0x39E},     {"alpha", 0x3B1},   {"amp", '&'},       {"apos", '\''},
    {"asymp", 0x2248},  {"beta", 0x3B2},   {"bull", 0x2022},   {"cap", 0x2229},    {"cent", 0xA2},
    {"chi", 0x3C7},     {"copy", 0xA9},    {"cup", 0x222A},    {"dagger", 0x2020}, {"darr", 0x2193},
    {"deg", 0xB0},      {"delta", 0x3B4},  {"divide", 0xF7},   {"empty", 0x2205},  {"epsilon", 0x3B5},
    {"equiv", 0x2261},  {"eta", 0x3B7},    {"euro", 0x20AC},   {"exist", 0x2203},  {"forall", 0x2200},
    {"frac12", 0xBD},   {"frac14", 0xBC},  {"frac34", 0xBE},   {"gamma", 0x3B3},   {"ge", 0x2265},
    {"gt", '>'},        {"harr", 0x2194},  {"hellip", 0x2026}, {"infin", 0x221E},  {"int", 0x222B},
    {"iota", 0x3B9},    {"isin", 0x2208},  {"kappa", 0x3BA},   {"lambda", 0x3BB},  {"laquo", 0xAB},
    {"larr", 0x2190},   {"ldquo", 0x201C}, {"le", 0x2264},     {"lsquo", 0x2018},  {"lt", '<'},
    {"mdash", 0x2014},  {"micro", 0xB5},   {"middot", 0xB7},   {"minus", 0x2212},  {"mu", 0x3BC},
    {"nabla", 0x2207},  {"nbsp", 0xA0},    {"ndash", 0x2013},  {"ne", 0x2260},     {"not", 0xAC},
    {"notin", 0x2209},  {"nu", 0x3BD},     {"omega", 0x3C9},   {"para", 0xB6},     {"part", 0x2202},
    {"permil", 0x2030}, {"phi", 0x3C6},    {"pi", 0x3C0},      {"plusmn", 0xB1},   {"pound", 0xA3},
    {"prime", 0x2032},  {"prod", 0x220F},  {"prop", 0x221D},   {"psi", 0x3C8},     {"quot", '"'},
    {"rArr", 0x21D2},   {"radic", 0x221A}, {"raquo", 0xBB},    {"rarr", 0x2192},   {"rdquo", 0x201D},
    {"reg", 0xAE},      {"rho", 0x3C1},    {"rsquo", 0x2019},  {"sect", 0xA7},     {"sigma", 0x3C3},
    {"sub", 0x2282},    {"sube", 0x2286},  {"sum", 0x2211},    {"sup2", 0xB2},     {"sup3", 0xB3},
    {"tau", 0x3C4},     {"theta", 0x3B8},  {"times", 0xD7},    {"trade", 0x2122},  {"uarr", 0x2191},
    {"xi", 0x3BE},      {"yen", 0xA5},     {"zeta", 0x3B6},
};

QString fromCode(char32_t code)
{
    const bool valid = code != 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
    const char32_t shown = valid ? code : 0xFFFD;
    return QString::fromUcs4(&shown, 1);
}

QString numeric(std::string_view digits, int base)
{
    unsigned code = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), code, base);
    return fromCode(result.ec == std::errc{} ? code : 0);
}

} // namespace

QString entityText(std::string_view entity)
{
    const QString written = QString::fromUtf8(entity.data(), static_cast<qsizetype>(entity.size()));
    if (entity.size() < 4)
        return written;
    const std::string_view name = entity.substr(1, entity.size() - 2);
    if (name[0] == '#')
        return name[1] == 'x' || name[1] == 'X' ? numeric(name.substr(2), 16) : numeric(name.substr(1), 10);
    const auto *const found =
        std::lower_bound(std::begin(named), std::end(named), name,
                         [](const Named &entry, std::string_view key) { return entry.name < key; });
    return found != std::end(named) && found->name == name ? fromCode(found->code) : written;
}

} // namespace bathyscope::ui::markdown
