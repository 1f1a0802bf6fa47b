#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes nfc_table.cpp from Python's unicodedata: ./make_nfc_table.py > nfc_table.cpp"""
import sys
import unicodedata as u


def rows(items):
    line = "   "
    for item in items:
        if len(line) + len(item) + 2 > 110:
            print(line)
            line = "   "
        line += " " + item + ","
    print(line)


def canonical(code):
    text = u.decomposition(chr(code))
    return [int(part, 16) for part in text.split()] if text and not text.startswith("<") else None


def main():
    codes = [c for c in range(sys.maxunicode + 1) if not 0xAC00 <= c <= 0xD7A3]
    pairs = []
    for code in codes:
        parts = canonical(code)
        if parts:
            first, second = (parts + [0])[:2]
            composes = second != 0 and u.normalize("NFC", chr(first) + chr(second)) == chr(code)
            pairs.append("{%d,%d,%d,%d}" % (code, first, second, composes))
    ranges = []
    for code in codes:
        value = u.combining(chr(code))
        if value and ranges and ranges[-1][1] == code - 1 and ranges[-1][2] == value:
            ranges[-1][1] = code
        elif value:
            ranges.append([code, code, value])
    print("// SPDX-License-Identifier: GPL-3.0-or-later")
    print("// Written by make_nfc_table.py; Unicode %s." % u.unidata_version)
    print('#include "engine/text/tokenizer/nfc_table.h"\n')
    print("// clang-format off\nnamespace bathyscope::nfc {\n\nnamespace {\n")
    print("constexpr Decomposition decompositionTable[] = {")
    rows(pairs)
    print("};\n\nconstexpr CombiningRange combiningTable[] = {")
    rows("{%d,%d,%d}" % tuple(r) for r in ranges)
    print("};\n\n} // namespace\n")
    print("std::span<const Decomposition> decompositions() { return decompositionTable; }\n")
    print("std::span<const CombiningRange> combiningRanges() { return combiningTable; }\n")
    print("} // namespace bathyscope::nfc")


main()
