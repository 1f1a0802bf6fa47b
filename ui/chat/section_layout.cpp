// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/section_layout.h"

#include "ui/chat/text_format.h"

#include <QTextOption>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

using markdown::Block;

/// Units after which a piece ends at the next line, and at which it ends in any case.
constexpr int goodPiece = 1500;
constexpr int longestPiece = 4096;
constexpr qreal rowPadding = 6; ///< px above and below the text of a table's row

/// Length of the piece that begins at `start`. It depends on nothing after it, so that pieces stay as
/// they are while a block grows.
int pieceLength(const QString &text, int start)
{
    const QStringView rest = QStringView(text).mid(start);
    const QStringView window = rest.left(longestPiece);
    if (window.size() > goodPiece) {
        if (const qsizetype line = window.indexOf(u'\n', goodPiece); line >= 0)
            return static_cast<int>(line) + 1;
    }
    if (rest.size() <= longestPiece)
        return static_cast<int>(rest.size());
    for (const QChar separator : {u'\n', u' '}) {
        if (const qsizetype at = window.lastIndexOf(separator); at > 0)
            return static_cast<int>(at) + 1;
    }
    return window.back().isHighSurrogate() ? longestPiece - 1 : longestPiece;
}

int estimatedLines(QStringView text, qreal charactersPerLine)
{
    int lines = 0;
    for (const QStringView line : text.tokenize(u'\n'))
        lines +=
            std::max(1, static_cast<int>(std::ceil(static_cast<qreal>(line.size()) / charactersPerLine)));
    return std::max(lines, 1);
}

/// Units that the head of a table takes.
int headLength(const Block &block)
{
    for (const markdown::Cell &cell : block.cells) {
        if (cell.row > 0)
            return cell.start;
    }
    return static_cast<int>(block.text.size());
}

} // namespace

void SectionLayout::setStyle(const SectionStyle &style)
{
    if (m_style == style)
        return;
    m_style = style;
    invalidate();
}

void SectionLayout::setWidth(qreal width)
{
    if (qFuzzyCompare(m_width, width))
        return;
    m_width = width;
    invalidate();
}

void SectionLayout::invalidate()
{
    m_pieces.clear();
    rebuildPieces({});
}

void SectionLayout::setSource(std::string_view utf8, Mode mode)
{
    if (mode == m_mode && utf8.size() == m_sourceSize)
        return;
    if (mode != m_mode || utf8.size() < m_sourceSize) {
        m_parser = {};
        m_plain.clear();
        m_pieces.clear();
    }
    m_mode = mode;
    m_sourceSize = utf8.size();
    if (mode == Mode::Markdown) {
        rebuildPieces(m_parser.update(utf8));
        return;
    }
    markdown::Blocks now = mode == Mode::Raw ? markdown::rawBlocks(utf8) : markdown::plainBlocks(utf8);
    const markdown::Change change = markdown::firstChange(m_plain, now);
    m_plain = std::move(now);
    rebuildPieces(change);
}

const markdown::Blocks &SectionLayout::blocks() const
{
    return m_mode == Mode::Markdown ? m_parser.blocks() : m_plain;
}

qreal SectionLayout::height() const
{
    return m_pieces.empty() ? 0 : m_pieces.back().top + m_pieces.back().height;
}

void SectionLayout::rebuildPieces(markdown::Change change)
{
    // Pieces wholly before the change stay, with their layouts; the last of a block may still grow.
    const auto stays = [&](const Piece &piece) {
        const auto block = static_cast<std::size_t>(piece.block);
        return block < change.block
            || (block == change.block && !piece.lastOfBlock && piece.start + piece.length <= change.unit);
    };
    const auto firstGone = std::find_if_not(m_pieces.begin(), m_pieces.end(), stays);
    const auto kept = static_cast<std::size_t>(firstGone - m_pieces.begin());
    m_pieces.erase(firstGone, m_pieces.end());
    std::size_t block = 0;
    int start = 0;
    if (!m_pieces.empty()) {
        const Piece &last = m_pieces.back();
        block = static_cast<std::size_t>(last.block) + (last.lastOfBlock ? 1 : 0);
        start = last.lastOfBlock ? 0 : last.start + last.length;
    }
    for (; block < blocks().size(); ++block, start = 0)
        addPieces(static_cast<int>(block), start);
    restack(kept);
}

void SectionLayout::addPieces(int blockIndex, int start)
{
    const Block &block = blocks()[static_cast<std::size_t>(blockIndex)];
    if (!block.cells.empty())
        return addTable(blockIndex);
    const int size = static_cast<int>(block.text.size());
    const qreal indent =
        indentOf(block) + (block.kind == Block::Kind::CodeBlock ? textformat::codePadding : 0);
    const qreal right = block.kind == Block::Kind::CodeBlock ? textformat::codePadding : 0;
    do {
        Piece piece;
        piece.block = blockIndex;
        piece.start = start;
        piece.length = pieceLength(block.text, start);
        piece.firstOfBlock = start == 0;
        piece.lastOfBlock = start + piece.length == size;
        const bool closed =
            piece.length > 0 && !piece.lastOfBlock && block.text[start + piece.length - 1] == u'\n';
        piece.parts.push_back({start, piece.length - (closed ? 1 : 0), indent,
                               std::max(m_width - indent - right, 40.0), Qt::AlignLeft, nullptr});
        start += piece.length;
        estimate(piece);
        m_pieces.push_back(std::move(piece));
    } while (start < size);
}

void SectionLayout::addTable(int blockIndex)
{
    const Block &block = blocks()[static_cast<std::size_t>(blockIndex)];
    std::vector<qreal> widths;
    for (const markdown::Cell &cell : block.cells) {
        if (static_cast<std::size_t>(cell.column) >= widths.size())
            widths.push_back(0);
        qreal &width = widths[static_cast<std::size_t>(cell.column)];
        const qreal wanted = std::clamp(cell.length, 3, 60) * m_style.font.pixelSize() * 0.58;
        width = std::max(width, wanted + 2 * textformat::cellPadding);
    }
    qreal total = 0;
    for (const qreal width : widths)
        total += width;
    const qreal indent = indentOf(block);
    const qreal scale = std::min(1.0, (m_width - indent) / total);
    for (std::size_t i = 0; i < block.cells.size();) {
        Piece piece;
        piece.block = blockIndex;
        piece.start = block.cells[i].start;
        piece.firstOfBlock = i == 0;
        qreal x = indent;
        const int row = block.cells[i].row;
        for (; i < block.cells.size() && block.cells[i].row == row; ++i) {
            const markdown::Cell &cell = block.cells[i];
            const qreal width = widths[static_cast<std::size_t>(cell.column)] * scale;
            piece.parts.push_back({cell.start, cell.length, x + textformat::cellPadding,
                                   std::max(width - 2 * textformat::cellPadding, 16.0), cell.alignment,
                                   nullptr});
            x += width;
        }
        const int end = i < block.cells.size() ? block.cells[i].start : static_cast<int>(block.text.size());
        piece.length = end - piece.start;
        piece.lastOfBlock = i == block.cells.size();
        estimate(piece);
        m_pieces.push_back(std::move(piece));
    }
}

void SectionLayout::estimate(Piece &piece) const
{
    const Block &block = blocks()[static_cast<std::size_t>(piece.block)];
    const bool monospace = block.kind == Block::Kind::CodeBlock || block.kind == Block::Kind::Raw;
    const qreal letter = m_style.font.pixelSize() * (monospace ? 0.55 : 0.5);
    int lines = 1;
    for (const Part &part : piece.parts) {
        const QStringView text = QStringView(block.text).mid(part.start, part.length);
        lines = std::max(lines, estimatedLines(text, std::max(part.width / letter, 1.0)));
    }
    finish(piece, lines * textformat::lineHeight(block, m_style));
}

qreal SectionLayout::gapBefore(const Piece &piece) const
{
    if (!piece.firstOfBlock || piece.block == 0)
        return 0;
    const auto block = static_cast<std::size_t>(piece.block);
    return textformat::gapBetween(blocks()[block - 1], blocks()[block], m_style);
}

/// Adds gaps and padding around `textHeight`.
void SectionLayout::finish(Piece &piece, qreal textHeight) const
{
    const Block &block = blocks()[static_cast<std::size_t>(piece.block)];
    piece.textTop = gapBefore(piece);
    qreal below = 0;
    if (block.kind == Block::Kind::CodeBlock) {
        piece.textTop += piece.firstOfBlock ? textformat::codeHeader : 0;
        below = piece.lastOfBlock ? textformat::codePadding : 0;
    } else if (block.kind == Block::Kind::Table) {
        piece.textTop += rowPadding;
        below = rowPadding;
    } else if (block.kind == Block::Kind::Rule) {
        textHeight = 1;
    }
    piece.height = piece.textTop + textHeight + below;
}

void SectionLayout::layOutPiece(Piece &piece)
{
    const Block &block = blocks()[static_cast<std::size_t>(piece.block)];
    qreal textHeight = 0;
    for (Part &part : piece.parts)
        textHeight = std::max(textHeight, layOutPart(block, part));
    finish(piece, textHeight);
    piece.exact = true;
    ++m_laidOut;
}

qreal SectionLayout::layOutPart(const Block &block, Part &part)
{
    QString text = block.text.mid(part.start, part.length);
    text.replace(u'\n', QChar::LineSeparator);
    text.replace(u'\r', u' ');
    QFont font = textformat::blockFont(block, m_style);
    if (block.kind == Block::Kind::Table && part.start < headLength(block))
        font.setWeight(QFont::DemiBold);
    part.layout = std::make_unique<QTextLayout>(text, font);
    QTextOption option(part.alignment);
    option.setWrapMode(QTextOption::WrapAtWordBoundaryOrAnywhere);
    option.setTabStopDistance(font.pixelSize() * 2.4);
    part.layout->setTextOption(option);
    part.layout->setFormats(textformat::formats(block, m_style, part.start, part.length));
    part.layout->setCacheEnabled(true);
    const int lineHeight = textformat::lineHeight(block, m_style);
    qreal y = 0;
    part.layout->beginLayout();
    for (QTextLine line = part.layout->createLine(); line.isValid(); line = part.layout->createLine()) {
        line.setLineWidth(part.width);
        // Letters of another font may be taller than the line; they then get the room they need.
        const qreal height = line.height() > lineHeight + 4 ? std::ceil(line.height()) : lineHeight;
        line.setPosition({0, y + std::round((height - line.height()) / 2)});
        y += height;
    }
    part.layout->endLayout();
    return std::max<qreal>(y, lineHeight);
}

void SectionLayout::restack(std::size_t from)
{
    qreal y = from == 0 ? 0 : m_pieces[from - 1].top + m_pieces[from - 1].height;
    for (; from < m_pieces.size(); ++from) {
        m_pieces[from].top = y;
        y += m_pieces[from].height;
    }
}

bool SectionLayout::layOut(qreal top, qreal bottom)
{
    bool changed = false;
    if (m_pieces.empty())
        return changed;
    for (std::size_t i = pieceAt(top); i < m_pieces.size() && m_pieces[i].top < bottom; ++i) {
        Piece &piece = m_pieces[i];
        if (piece.exact && piece.parts.front().layout)
            continue;
        const qreal before = piece.height;
        layOutPiece(piece);
        if (!qFuzzyCompare(before, piece.height)) {
            restack(i);
            changed = true;
        }
    }
    return changed;
}

void SectionLayout::releaseOutside(qreal top, qreal bottom)
{
    constexpr int enough = 400;
    constexpr qreal margin = 4000; // px that are kept around what is seen
    if (m_laidOut < enough)
        return;
    m_laidOut = 0;
    for (Piece &piece : m_pieces) {
        const bool near = piece.top < bottom + margin && piece.top + piece.height > top - margin;
        for (Part &part : piece.parts) {
            if (!near)
                part.layout.reset();
        }
        m_laidOut += near && piece.exact ? 1 : 0;
    }
}

qreal SectionLayout::naturalWidth()
{
    layOut(0, height() + 1);
    qreal widest = 0;
    for (const Piece &piece : m_pieces) {
        for (const Part &part : piece.parts) {
            for (int i = 0; part.layout && i < part.layout->lineCount(); ++i)
                widest = std::max(widest, part.x + part.layout->lineAt(i).naturalTextWidth());
        }
    }
    return std::ceil(widest);
}

qreal SectionLayout::indentOf(const Block &block) const
{
    constexpr std::size_t deepest = 8;
    qreal indent = 0;
    for (std::size_t i = 0; i < std::min(deepest, block.containers.size()); ++i) {
        const bool quote = block.containers[i].kind == markdown::Container::Kind::Quote;
        indent += quote ? textformat::quoteStep : textformat::indentStep;
    }
    return indent;
}

QRectF SectionLayout::pieceRect(const Piece &piece) const
{
    const Block &block = blocks()[static_cast<std::size_t>(piece.block)];
    const qreal indent = indentOf(block);
    const qreal gap = gapBefore(piece);
    return {indent, piece.top + gap, m_width - indent, piece.height - gap};
}

} // namespace bathyscope::ui
