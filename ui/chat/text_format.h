// SPDX-License-Identifier: GPL-3.0-or-later
//
// From a block's kind and styles to fonts, colours and distances.
#pragma once

#include "ui/chat/section_layout.h"

#include <QTextLayout>

namespace bathyscope::ui::textformat {

constexpr int codePadding = 12; ///< px around code
constexpr int codeHeader = 30; ///< px above code, for its language and the copy button
constexpr int cellPadding = 8; ///< px left and right of a cell's text
constexpr int indentStep = 24; ///< px a list level
constexpr int quoteStep = 16; ///< px a quote

[[nodiscard]] QFont blockFont(const markdown::Block &block, const SectionStyle &style);
[[nodiscard]] int lineHeight(const markdown::Block &block, const SectionStyle &style);
[[nodiscard]] QColor blockColor(const markdown::Block &block, const SectionStyle &style);
/// px between a block and the one before it.
[[nodiscard]] int gapBetween(const markdown::Block &before, const markdown::Block &block,
                             const SectionStyle &style);
/// Formats of a part of the block's text, relative to its start.
[[nodiscard]] QList<QTextLayout::FormatRange> formats(const markdown::Block &block, const SectionStyle &style,
                                                      int start, int length);

} // namespace bathyscope::ui::textformat
