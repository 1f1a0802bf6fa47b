#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes BathyscopeFigures-*.otf from Inter: Latin only, with the tabular figures of its `tnum` feature as
the plain ones, since Qt before 6.7 cannot ask a font for a feature. Needs fonttools. The name differs from
Inter's, as its licence (OFL 1.1) asks of changed copies.

    python3 figures.py Inter-Regular.otf BathyscopeFigures-Regular.otf
"""

import sys

from fontTools import subset
from fontTools.ttLib import TTFont

FAMILY = "Bathyscope Figures"
CHARACTERS = list(range(0x20, 0x250)) + [0x2013, 0x2014, 0x2019, 0x2026, 0x202F, 0x2044, 0x207B, 0x2212,
                                         0x00D7, 0x2264, 0x2265, 0x2248, 0x2009, 0x2070, *range(0x2074, 0x207A)]


def tabular_substitutes(font):
    table = font["GSUB"].table
    lookups = {i for record in table.FeatureList.FeatureRecord if record.FeatureTag == "tnum"
               for i in record.Feature.LookupListIndex}
    mapping = {}
    for index in lookups:
        for part in table.LookupList.Lookup[index].SubTable:
            mapping.update(getattr(part, "ExtSubTable", part).mapping)
    return mapping


def main(source, target):
    font = TTFont(source)
    substitutes = tabular_substitutes(font)
    for cmap in font["cmap"].tables:
        if cmap.isUnicode():
            for code, glyph in cmap.cmap.items():
                cmap.cmap[code] = substitutes.get(glyph, glyph)
    options = subset.Options(layout_features=["kern", "mark", "ccmp"], name_IDs=["*"])
    chosen = subset.Subsetter(options)
    chosen.populate(unicodes=CHARACTERS)
    chosen.subset(font)
    style = font["name"].getDebugName(17) or font["name"].getDebugName(2)
    for name_id, text in ((1, FAMILY), (4, f"{FAMILY} {style}"), (6, f"{FAMILY.replace(' ', '')}-{style}"),
                          (3, f"{FAMILY} {style}"), (16, FAMILY), (17, style)):
        font["name"].setName(text, name_id, 3, 1, 0x409)
    font["CFF "].cff.fontNames[0] = f"{FAMILY.replace(' ', '')}-{style}"
    font["CFF "].cff.topDictIndex[0].FamilyName = FAMILY
    font.save(target)


main(*sys.argv[1:3])
