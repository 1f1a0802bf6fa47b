// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/text_format.h"

#include "ui/theme/theme.h"

#include <algorithm>
#include <array>

namespace bathyscope::ui::textformat {

namespace {

using Kind = markdown::Block::Kind;

/// px that a heading's letters are larger than the text, by level.
constexpr std::array<int, 7> headingGrowth{0, 6, 4, 2, 0, 0, 0};

bool isMonospace(Kind kind)
{
    return kind == Kind::CodeBlock || kind == Kind::HtmlBlock || kind == Kind::Raw;
}

QTextCharFormat charFormat(const markdown::Span &span, const QFont &base)
{
    QFont font = base;
    QTextCharFormat format;
    if ((span.style & (markdown::Code | markdown::Html)) != 0) {
        const QFont mono = theme::monoFont();
        font.setFamilies(mono.families());
        font.setPixelSize(std::max(base.pixelSize() - 1, 11));
    }
    if ((span.style & markdown::Bold) != 0)
        font.setWeight(base.weight() >= QFont::DemiBold ? QFont::Bold : QFont::DemiBold);
    font.setItalic((span.style & markdown::Italic) != 0);
    font.setStrikeOut((span.style & markdown::Strikethrough) != 0);
    font.setUnderline((span.style & markdown::Link) != 0);
    format.setFont(font);
    if ((span.style & markdown::Link) != 0)
        format.setForeground(theme::colors().accent);
    else if ((span.style & markdown::Html) != 0)
        format.setForeground(theme::colors().secondary);
    return format;
}

} // namespace

QFont blockFont(const markdown::Block &block, const SectionStyle &style)
{
    if (isMonospace(block.kind))
        return theme::monoFont();
    QFont font = style.font;
    if (block.kind == Kind::Heading) {
        font.setPixelSize(font.pixelSize()
                          + headingGrowth[static_cast<std::size_t>(std::clamp(block.level, 0, 6))]);
        font.setWeight(QFont::DemiBold);
    }
    return font;
}

int lineHeight(const markdown::Block &block, const SectionStyle &style)
{
    if (isMonospace(block.kind))
        return 20;
    if (block.kind == Kind::Heading)
        return style.lineHeight + headingGrowth[static_cast<std::size_t>(std::clamp(block.level, 0, 6))];
    return style.lineHeight;
}

QColor blockColor(const markdown::Block &block, const SectionStyle &style)
{
    const Colors &colors = theme::colors();
    return style.quiet || block.kind == Kind::HtmlBlock ? colors.secondary : colors.text;
}

int gapBetween(const markdown::Block &before, const markdown::Block &block, const SectionStyle &style)
{
    const auto isItem = [](const markdown::Container &container) {
        return container.kind == markdown::Container::Kind::Item;
    };
    if (block.kind == Kind::Heading)
        return style.blockGap + 8;
    if (before.kind == Kind::Heading)
        return style.blockGap - 4;
    const bool inList = std::any_of(before.containers.begin(), before.containers.end(), isItem);
    return block.tight && inList ? 4 : style.blockGap;
}

QList<QTextLayout::FormatRange> formats(const markdown::Block &block, const SectionStyle &style, int start,
                                        int length)
{
    QList<QTextLayout::FormatRange> result;
    const QFont base = blockFont(block, style);
    const auto after =
        std::upper_bound(block.spans.begin(), block.spans.end(), start,
                         [](int at, const markdown::Span &span) { return at < span.start + span.length; });
    for (auto span = after; span != block.spans.end() && span->start < start + length; ++span) {
        const int first = std::max(span->start, start);
        const int last = std::min(span->start + span->length, start + length);
        result.append({first - start, last - first, charFormat(*span, base)});
    }
    return result;
}

} // namespace bathyscope::ui::textformat
