// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/text/tokenizer/nfc.h"

#include "engine/text/tokenizer/nfc_table.h"
#include "engine/text/tokenizer/utf8.h"

#include <algorithm>
#include <unordered_map>
#include <vector>

namespace bathyscope::nfc {

namespace {

/// Everything below is its own normal form.
constexpr char32_t firstCombining = 0x300;

// Hangul syllables, The Unicode Standard, section 3.12.
constexpr char32_t syllableBase = 0xAC00;
constexpr char32_t leadBase = 0x1100;
constexpr char32_t vowelBase = 0x1161;
constexpr char32_t tailBase = 0x11A7;
constexpr char32_t leadCount = 19;
constexpr char32_t vowelCount = 21;
constexpr char32_t tailCount = 28;
constexpr char32_t syllableCount = leadCount * vowelCount * tailCount;

struct Character {
    char32_t code = 0;
    std::uint8_t combiningClass = 0;
};

std::uint8_t combiningClass(char32_t code)
{
    const auto ranges = combiningRanges();
    const auto range = std::partition_point(ranges.begin(), ranges.end(),
                                            [&](const CombiningRange &r) { return r.last < code; });
    return range != ranges.end() && range->first <= code ? range->combiningClass : 0;
}

void decompose(char32_t code, std::vector<Character> &out)
{
    if (code >= syllableBase && code < syllableBase + syllableCount) {
        const char32_t index = code - syllableBase;
        out.push_back({leadBase + index / (vowelCount * tailCount)});
        out.push_back({vowelBase + index % (vowelCount * tailCount) / tailCount});
        if (index % tailCount != 0) {
            out.push_back({tailBase + index % tailCount});
        }
        return;
    }
    const auto table = decompositions();
    const auto entry = std::partition_point(table.begin(), table.end(),
                                            [&](const Decomposition &d) { return d.code < code; });
    if (entry == table.end() || entry->code != code) {
        out.push_back({code, combiningClass(code)});
        return;
    }
    decompose(entry->first, out);
    if (entry->second != 0) {
        decompose(entry->second, out);
    }
}

/// Combining marks by class, those of one class in their order.
void reorder(std::vector<Character> &characters)
{
    const auto isStarter = [](const Character &c) { return c.combiningClass == 0; };
    for (auto at = characters.begin(); at != characters.end();) {
        const auto first = std::find_if_not(at, characters.end(), isStarter);
        const auto last = std::find_if(first, characters.end(), isStarter);
        std::stable_sort(first, last, [](const Character &a, const Character &b) {
            return a.combiningClass < b.combiningClass;
        });
        at = last;
    }
}

/// The character that two make together; 0: none.
char32_t composed(char32_t first, char32_t second)
{
    if (first >= leadBase && first < leadBase + leadCount && second >= vowelBase
        && second < vowelBase + vowelCount) {
        return syllableBase + ((first - leadBase) * vowelCount + (second - vowelBase)) * tailCount;
    }
    const bool openSyllable = first >= syllableBase && first < syllableBase + syllableCount
        && (first - syllableBase) % tailCount == 0;
    if (openSyllable && second > tailBase && second < tailBase + tailCount) {
        return first + (second - tailBase);
    }
    static const auto pairs = [] {
        std::unordered_map<std::uint64_t, char32_t> result;
        for (const Decomposition &d : decompositions()) {
            if (d.composes) {
                result.emplace((std::uint64_t{d.first} << 32U) | d.second, d.code);
            }
        }
        return result;
    }();
    const auto pair = pairs.find((std::uint64_t{first} << 32U) | second);
    return pair == pairs.end() ? 0 : pair->second;
}

void compose(std::vector<Character> &characters)
{
    constexpr auto none = static_cast<std::size_t>(-1);
    std::size_t starter = none;
    std::size_t size = 0;
    for (const Character current : characters) {
        // A character is blocked from its starter by one between them of the same or a higher class.
        const bool adjacent = starter != none && size == starter + 1;
        const bool blocked =
            starter == none || (!adjacent && characters[size - 1].combiningClass >= current.combiningClass);
        const char32_t code = blocked ? 0 : composed(characters[starter].code, current.code);
        if (code != 0) {
            characters[starter].code = code;
            continue;
        }
        if (current.combiningClass == 0) {
            starter = size;
        }
        characters[size++] = current;
    }
    characters.resize(size);
}

} // namespace

std::string normalised(std::string_view text)
{
    std::vector<Character> characters;
    bool simple = true;
    for (std::size_t at = 0; at < text.size() && simple;) {
        const std::size_t length = utf8::characterLength(text, at);
        simple = utf8::codePoint(text, at, length) < firstCombining;
        at += length;
    }
    if (simple) {
        return std::string(text);
    }
    characters.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8::characterLength(text, at);
        decompose(utf8::codePoint(text, at, length), characters);
        at += length;
    }
    reorder(characters);
    compose(characters);
    std::string result;
    result.reserve(text.size());
    for (const Character &character : characters) {
        utf8::append(result, character.code);
    }
    return result;
}

} // namespace bathyscope::nfc
