// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/section_painter.h"

#include "ui/chat/color_legend.h"
#include "ui/chat/text_format.h"
#include "ui/theme/theme.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

using markdown::Block;
using Piece = SectionLayout::Piece;

QColor faded(QColor color, double alpha)
{
    color.setAlphaF(static_cast<float>(alpha));
    return color;
}

} // namespace

void paintHairline(QPainter &painter, QPointF from, QPointF to, const QColor &color)
{
    const qreal pixel = 1.0 / painter.device()->devicePixelRatioF();
    const qreal width = std::max(pixel, 1.0);
    painter.fillRect(QRectF(from, to).normalized().adjusted(0, 0, from.x() == to.x() ? width : 0,
                                                            from.y() == to.y() ? width : 0),
                     color);
}

SectionPainter::SectionPainter(QPainter &painter, const SectionLayout &layout, Section which,
                               const MessageMarks &marks)
    : m_painter(painter)
    , m_layout(layout)
    , m_which(which)
    , m_marks(marks)
{
}

void SectionPainter::paint(qreal top, qreal bottom)
{
    const std::vector<Piece> &pieces = m_layout.pieces();
    if (pieces.empty())
        return;
    const std::size_t first = m_layout.pieceAt(top);
    std::size_t last = first;
    while (last < pieces.size() && pieces[last].top < bottom)
        ++last;
    if (first == last)
        return;
    m_first = {pieces[first].block, pieces[first].start};
    m_last = {pieces[last - 1].block, pieces[last - 1].start + pieces[last - 1].length};
    for (std::size_t i = first; i < last; ++i)
        paintGround(pieces[i]);
    paintSelectedText();
    paintSelectedTokens();
    if (m_marks.token && m_marks.token->section == m_which)
        paintToken(*m_marks.token, true);
    for (std::size_t i = first; i < last; ++i)
        paintText(pieces[i], top, bottom);
    if (m_marks.hovered && m_marks.hovered->section == m_which)
        paintToken(*m_marks.hovered, false);
}

void SectionPainter::paintGround(const Piece &piece)
{
    const Block &block = m_layout.blocks()[static_cast<std::size_t>(piece.block)];
    const Colors &colors = theme::colors();
    paintContainers(piece);
    if (block.kind == Block::Kind::CodeBlock) {
        const QRectF rect = m_layout.pieceRect(piece);
        constexpr qreal radius = theme::radius;
        m_painter.save();
        m_painter.setClipRect(rect, Qt::IntersectClip);
        m_painter.setPen(Qt::NoPen);
        m_painter.setBrush(colors.code);
        m_painter.drawRoundedRect(
            rect.adjusted(0, piece.firstOfBlock ? 0 : -2 * radius, 0, piece.lastOfBlock ? 0 : 2 * radius),
            radius, radius);
        m_painter.restore();
        if (piece.firstOfBlock) {
            m_painter.setFont(theme::smallFont());
            m_painter.setPen(colors.secondary);
            m_painter.drawText(QRectF(rect.left() + textformat::codePadding, rect.top(), rect.width() - 80,
                                      textformat::codeHeader),
                               Qt::AlignVCenter | Qt::AlignLeft, block.language);
        }
    } else if (block.kind == Block::Kind::Rule) {
        const qreal y = piece.top + piece.textTop;
        paintHairline(m_painter, {m_layout.indentOf(block), y}, {m_layout.width(), y}, colors.line);
    } else if (block.kind == Block::Kind::Table) {
        paintTable(piece);
    } else if (block.kind == Block::Kind::Raw && m_tokens != nullptr && m_heat == nullptr) {
        paintTokenGrounds(piece);
    } else {
        paintInlineCode(piece);
    }
    if (m_heat != nullptr && block.kind != Block::Kind::Rule)
        paintHeat(piece);
}

void SectionPainter::paintContainers(const Piece &piece)
{
    const Block &block = m_layout.blocks()[static_cast<std::size_t>(piece.block)];
    const Colors &colors = theme::colors();
    qreal x = 0;
    for (const markdown::Container &container : block.containers) {
        const bool quote = container.kind == markdown::Container::Kind::Quote;
        const qreal step = quote ? textformat::quoteStep : textformat::indentStep;
        if (x + step > m_layout.indentOf(block))
            break;
        if (quote) {
            const qreal gap = piece.firstOfBlock && block.containers.size() > 1
                ? 0
                : m_layout.pieceRect(piece).top() - piece.top;
            m_painter.fillRect(QRectF(x, piece.top + gap, 3, piece.height - gap), colors.line);
        } else if (piece.firstOfBlock && !container.marker.isEmpty()) {
            m_painter.setFont(textformat::blockFont(Block(), m_layout.style()));
            m_painter.setPen(colors.secondary);
            const QRectF place(x - 40, piece.top + piece.textTop, step + 40 - 8,
                               textformat::lineHeight(block, m_layout.style()));
            m_painter.drawText(place, Qt::AlignRight | Qt::AlignVCenter | Qt::TextDontClip, container.marker);
        }
        x += step;
    }
}

void SectionPainter::paintTable(const Piece &piece)
{
    const SectionLayout::Part &last = piece.parts.back();
    const qreal left = piece.parts.front().x - textformat::cellPadding;
    const qreal right = last.x + last.width + textformat::cellPadding;
    const qreal y = piece.top + piece.height - 1;
    paintHairline(m_painter, {left, y}, {right, y},
                  piece.firstOfBlock ? theme::colors().secondary : theme::colors().line);
}

template <typename Visit>
void SectionPainter::visitTokens(const Piece &piece, const SectionText &text, const Visit &visit) const
{
    const auto begin = m_layout.sourceOf({piece.block, piece.start});
    if (!begin)
        return;
    const auto after = std::upper_bound(text.offsets.begin(), text.offsets.end(), *begin);
    auto index = static_cast<std::size_t>(after - text.offsets.begin());
    index -= index > 0 ? 1 : 0;
    const TextPosition start{piece.block, piece.start};
    const TextPosition end{piece.block, piece.start + piece.length};
    for (; index < text.offsets.size(); ++index) {
        const std::size_t first = text.offsets[index];
        const std::size_t last = index + 1 < text.offsets.size() ? text.offsets[index + 1] : text.utf8.size();
        const auto [from, to] = m_layout.rendered(first, last);
        if (from >= end)
            break;
        visit(index, m_layout.rects(std::max(from, start), std::min(to, end)));
    }
}

void SectionPainter::paintTokenGrounds(const Piece &piece)
{
    const QColor ground = faded(theme::colors().accent, theme::colors().dark ? 0.16 : 0.10);
    visitTokens(piece, *m_tokens, [&](std::size_t index, const std::vector<QRectF> &rects) {
        for (const QRectF &rect : rects)
            if (index % 2 == 0)
                m_painter.fillRect(rect, ground);
    });
}

void SectionPainter::paintHeat(const Piece &piece)
{
    const SectionText &text = m_which == Section::Reasoning ? m_heat->reasoning : m_heat->answer;
    visitTokens(piece, text, [&](std::size_t index, const std::vector<QRectF> &rects) {
        const double heat = tokenHeat(m_heat->tokens[text.tokens[index]], m_marks.colorBy);
        for (const QRectF &rect : rects)
            paintTokenHeat(m_painter, rect, heat);
    });
}

void SectionPainter::paintInlineCode(const Piece &piece)
{
    const Block &block = m_layout.blocks()[static_cast<std::size_t>(piece.block)];
    for (const markdown::Span &span : block.spans) {
        const bool visible =
            span.start < piece.start + piece.length && span.start + span.length > piece.start;
        if (!visible || (span.style & markdown::Code) == 0)
            continue;
        m_painter.setPen(Qt::NoPen);
        m_painter.setBrush(theme::colors().code);
        const int from = std::max(span.start, piece.start);
        const int to = std::min(span.start + span.length, piece.start + piece.length);
        for (const QRectF &rect : m_layout.rects({piece.block, from}, {piece.block, to}))
            m_painter.drawRoundedRect(rect.adjusted(-3, 0, 3, 0), 4, 4);
    }
}

void SectionPainter::paintText(const Piece &piece, qreal top, qreal bottom)
{
    const QRectF seen(0, top, m_layout.width(), bottom - top); // lines beside it are not drawn
    const Block &block = m_layout.blocks()[static_cast<std::size_t>(piece.block)];
    m_painter.setPen(m_color.isValid() ? m_color : textformat::blockColor(block, m_layout.style()));
    for (const SectionLayout::Part &part : piece.parts) {
        if (part.layout)
            part.layout->draw(&m_painter, {part.x, piece.top + piece.textTop}, {}, seen);
    }
}

void SectionPainter::paintSelectedText()
{
    const QColor ground = faded(theme::colors().accent, theme::colors().dark ? 0.35 : 0.22);
    for (const TextRange &range : m_marks.selected) {
        if (range.section != m_which)
            continue;
        const std::vector<QRectF> rects =
            m_layout.rects(std::max(range.from, m_first), std::min(range.to, m_last));
        for (const QRectF &rect : rects)
            m_painter.fillRect(rect, ground);
    }
}

void SectionPainter::paintSelectedTokens()
{
    for (const TextRange &range : m_marks.tokens) {
        if (range.section != m_which)
            continue;
        for (const QRectF &rect : m_layout.rects(std::max(range.from, m_first), std::min(range.to, m_last)))
            m_painter.fillRect(rect, theme::colors().selection);
    }
}

void SectionPainter::paintToken(const TextRange &range, bool selected)
{
    const Colors &colors = theme::colors();
    m_painter.save();
    m_painter.setRenderHint(QPainter::Antialiasing);
    m_painter.setPen(QPen(selected ? colors.selectionOutline : colors.secondary, 1));
    m_painter.setBrush(selected ? QBrush(colors.selection) : QBrush(Qt::NoBrush));
    if (range.from == range.to && selected && range.from >= m_first && range.from <= m_last) {
        // Nothing of the token is rendered: a mark where it stands in the source.
        const std::vector<QRectF> next =
            m_layout.rects(range.from, {range.from.block, range.from.offset + 1});
        const std::vector<QRectF> previous = range.from.offset > 0
            ? m_layout.rects({range.from.block, range.from.offset - 1}, range.from)
            : std::vector<QRectF>();
        if (!next.empty())
            m_painter.fillRect(QRectF(next.front().left() - 1, next.front().top(), 2, next.front().height()),
                               colors.selectionOutline);
        else if (!previous.empty())
            m_painter.fillRect(
                QRectF(previous.back().right() - 1, previous.back().top(), 2, previous.back().height()),
                colors.selectionOutline);
    }
    for (const QRectF &rect : m_layout.rects(std::max(range.from, m_first), std::min(range.to, m_last)))
        m_painter.drawRoundedRect(
            QRectF(rect.adjusted(-1, 0, 1, 0).toAlignedRect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
    m_painter.restore();
}

} // namespace bathyscope::ui
