// SPDX-License-Identifier: GPL-3.0-or-later
//
// SectionLayout: from points to text, from text to rectangles and to the source.
#include "ui/chat/section_layout.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

using Part = SectionLayout::Part;
using Piece = SectionLayout::Piece;

constexpr qreal lineEndWidth = 6; ///< px, so that a selected line end can be seen

QTextLine lineAt(const Part &part, qreal y)
{
    const int count = part.layout->lineCount();
    for (int i = 0; i + 1 < count; ++i) {
        if (y < part.layout->lineAt(i + 1).y())
            return part.layout->lineAt(i);
    }
    return count > 0 ? part.layout->lineAt(count - 1) : QTextLine();
}

const Part *partAt(const Piece &piece, qreal x)
{
    const Part *nearest = nullptr;
    for (const Part &part : piece.parts) {
        if (part.layout && (nearest == nullptr || part.x <= x))
            nearest = &part;
    }
    return nearest;
}

bool continuesBefore(const markdown::Block &block, std::size_t byte)
{
    return !block.source.empty() && block.source.front().begin < byte;
}

/// Rectangles of the units [from, to) of the block within one part.
void addRects(const Piece &piece, const Part &part, int from, int to, std::vector<QRectF> &result)
{
    const int first = std::max(from - part.start, 0);
    const int last = std::min(to - part.start, piece.start + piece.length - part.start);
    for (int i = 0; i < part.layout->lineCount(); ++i) {
        const QTextLine line = part.layout->lineAt(i);
        const bool closing = i + 1 == part.layout->lineCount();
        const int lineEnd = closing ? part.length + 1 : line.textStart() + line.textLength();
        const int begin = std::max(first, line.textStart());
        const int end = std::min(last, lineEnd);
        if (begin >= end
            || (closing && begin >= part.length && part.start + part.length >= piece.start + piece.length))
            continue;
        const qreal x1 = line.cursorToX(std::min(begin, part.length));
        const qreal x2 = line.cursorToX(std::min(end, part.length));
        const qreal width = std::abs(x2 - x1);
        result.emplace_back(part.x + std::min(x1, x2), piece.top + piece.textTop + line.y(),
                            width > 0.5 ? width : lineEndWidth, line.height());
    }
}

} // namespace

std::size_t SectionLayout::pieceAt(qreal y) const
{
    const auto after = std::upper_bound(m_pieces.begin(), m_pieces.end(), y,
                                        [](qreal at, const Piece &piece) { return at < piece.top; });
    return after == m_pieces.begin() ? 0 : static_cast<std::size_t>(after - m_pieces.begin()) - 1;
}

std::size_t SectionLayout::pieceOf(TextPosition position) const
{
    const auto after =
        std::upper_bound(m_pieces.begin(), m_pieces.end(), position, [](TextPosition at, const Piece &piece) {
            return at < TextPosition{piece.block, piece.start};
        });
    return after == m_pieces.begin() ? 0 : static_cast<std::size_t>(after - m_pieces.begin()) - 1;
}

std::optional<TextPosition> SectionLayout::characterAt(QPointF point) const
{
    if (m_pieces.empty())
        return std::nullopt;
    const Piece &piece = m_pieces[pieceAt(point.y())];
    const Part *part = partAt(piece, point.x());
    if (part == nullptr)
        return std::nullopt;
    const QPointF local = point - QPointF(part->x, piece.top + piece.textTop);
    const QTextLine line = lineAt(*part, local.y());
    if (!line.isValid() || !line.naturalTextRect().adjusted(-1, -3, 1, 3).contains(local))
        return std::nullopt;
    const int unit = line.xToCursor(local.x(), QTextLine::CursorOnCharacter);
    if (unit >= part->length)
        return std::nullopt;
    return TextPosition{piece.block, part->start + unit};
}

TextPosition SectionLayout::placeAt(QPointF point) const
{
    if (m_pieces.empty() || point.y() < 0)
        return {};
    if (point.y() >= height())
        return end();
    const Piece &piece = m_pieces[pieceAt(point.y())];
    const Part *part = partAt(piece, point.x());
    if (part == nullptr)
        return {piece.block, piece.start};
    const QPointF local = point - QPointF(part->x, piece.top + piece.textTop);
    const QTextLine line = lineAt(*part, local.y());
    return {piece.block,
            part->start + (line.isValid() ? std::min(line.xToCursor(local.x()), part->length) : 0)};
}

std::vector<QRectF> SectionLayout::rects(TextPosition from, TextPosition to) const
{
    std::vector<QRectF> result;
    if (m_pieces.empty() || from >= to)
        return result;
    const std::size_t last = pieceOf(to);
    for (std::size_t i = pieceOf(from); i <= last; ++i) {
        const Piece &piece = m_pieces[i];
        const int begin = piece.block == from.block ? from.offset : 0;
        const int end = piece.block == to.block ? to.offset : piece.start + piece.length;
        for (const Part &part : piece.parts) {
            if (part.layout)
                addRects(piece, part, begin, end, result);
        }
    }
    return result;
}

QRectF SectionLayout::caret(TextPosition position)
{
    if (m_pieces.empty())
        return {0, 0, 1, static_cast<qreal>(m_style.lineHeight)};
    const std::size_t index = pieceOf(position);
    layOut(m_pieces[index].top, m_pieces[index].top + 1);
    const Piece &piece = m_pieces[index];
    const Part *part = &piece.parts.front();
    for (const Part &candidate : piece.parts) {
        if (candidate.start <= position.offset)
            part = &candidate;
    }
    const int unit = std::clamp(position.offset - part->start, 0, part->length);
    const QTextLine line = part->layout->lineForTextPosition(unit);
    const qreal top = piece.top + piece.textTop;
    if (!line.isValid())
        return {part->x, top, 1, static_cast<qreal>(m_style.lineHeight)};
    return {part->x + line.cursorToX(unit), top + line.y(), 1, line.height()};
}

TextPosition SectionLayout::end() const
{
    if (blocks().empty())
        return {};
    return {static_cast<int>(blocks().size()) - 1, static_cast<int>(blocks().back().text.size())};
}

std::pair<TextPosition, TextPosition> SectionLayout::rendered(std::size_t begin, std::size_t end) const
{
    const markdown::Blocks &all = blocks();
    const auto placeOf = [&](std::size_t byte) -> TextPosition {
        const auto block = std::partition_point(
            all.begin(), all.end(), [&](const markdown::Block &before) { return before.sourceEnd <= byte; });
        if (block == all.end())
            return this->end();
        return {static_cast<int>(block - all.begin()), block->unitAt(byte)};
    };
    const TextPosition first = placeOf(begin);
    TextPosition last = first;
    while (static_cast<std::size_t>(last.block) < all.size()) {
        const markdown::Block &block = all[static_cast<std::size_t>(last.block)];
        const auto stop =
            std::partition_point(block.source.begin() + last.offset, block.source.end(),
                                 [&](const markdown::SourceRange &range) { return range.begin < end; });
        const int offset = static_cast<int>(stop - block.source.begin());
        const bool further =
            stop == block.source.end() && static_cast<std::size_t>(last.block) + 1 < all.size();
        if (!further || !continuesBefore(all[static_cast<std::size_t>(last.block) + 1], end)) {
            last.offset = offset;
            break;
        }
        last = {last.block + 1, 0};
    }
    return {first, last};
}

std::optional<std::size_t> SectionLayout::sourceOf(TextPosition position) const
{
    const markdown::Blocks &all = blocks();
    if (static_cast<std::size_t>(position.block) >= all.size())
        return std::nullopt;
    const markdown::Block &block = all[static_cast<std::size_t>(position.block)];
    if (static_cast<std::size_t>(position.offset) >= block.source.size())
        return std::nullopt;
    return block.source[static_cast<std::size_t>(position.offset)].begin;
}

QString SectionLayout::text(TextPosition from, TextPosition to) const
{
    QString result;
    const markdown::Blocks &all = blocks();
    for (int i = from.block; i <= to.block && static_cast<std::size_t>(i) < all.size(); ++i) {
        const markdown::Block &block = all[static_cast<std::size_t>(i)];
        const int begin = i == from.block ? from.offset : 0;
        const int end = i == to.block ? to.offset : static_cast<int>(block.text.size());
        if (i > from.block)
            result += block.tight ? QStringLiteral("\n") : QStringLiteral("\n\n");
        if (begin == 0 && end > 0) {
            for (const markdown::Container &container : block.containers) {
                if (!container.marker.isEmpty())
                    result += container.marker + u' ';
            }
        }
        result += QStringView(block.text).mid(begin, end - begin);
    }
    return result;
}

} // namespace bathyscope::ui
