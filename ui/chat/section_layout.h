// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/markdown/parser.h"

#include <QFont>
#include <QRectF>
#include <QTextLayout>

#include <compare>
#include <memory>
#include <optional>

namespace bathyscope::ui {

/// A place in the rendered text of a section: between two UTF-16 units of a block.
struct TextPosition {
    int block = 0;
    int offset = 0;

    auto operator<=>(const TextPosition &) const = default;
};

/// How the text of a section is set.
struct SectionStyle {
    QFont font;
    int lineHeight = 21; ///< px
    int blockGap = 12; ///< px between paragraphs
    bool quiet = false; ///< in the secondary colour

    bool operator==(const SectionStyle &) const = default;
};

/// Rendered text of one section: laid out in pieces of a few lines, so that a long reply costs no more than
/// what is seen of it. Pieces not laid out yet have an estimated height. All lengths are logical pixels,
/// relative to the section's top left corner.
class SectionLayout {
public:
    enum class Mode : std::uint8_t { Markdown, Plain, Raw };

    /// A stretch of text with a layout of its own; a row of a table has one for each cell.
    struct Part {
        int start = 0; ///< UTF-16 units of the block
        int length = 0; ///< those that are laid out
        qreal x = 0;
        qreal width = 0;
        Qt::Alignment alignment = Qt::AlignLeft;
        std::unique_ptr<QTextLayout> layout; ///< none while far from what is seen
    };
    struct Piece {
        int block = 0;
        int start = 0;
        int length = 0; ///< with the line end that closes it
        bool firstOfBlock = false;
        bool lastOfBlock = false;
        qreal top = 0; ///< of the gap before it
        qreal height = 0; ///< gap and padding included
        qreal textTop = 0; ///< of the first line, below `top`
        bool exact = false; ///< `height` is true, not estimated
        std::vector<Part> parts;
    };

    void setStyle(const SectionStyle &style);
    void setWidth(qreal width);
    /// The whole source as it is now. Parses and lays out again only what differs from before.
    void setSource(std::string_view utf8, Mode mode);
    /// Forgets all layouts: fonts or colours changed.
    void invalidate();

    [[nodiscard]] const markdown::Blocks &blocks() const;
    [[nodiscard]] const std::vector<Piece> &pieces() const { return m_pieces; }
    [[nodiscard]] const SectionStyle &style() const { return m_style; }
    [[nodiscard]] Mode mode() const { return m_mode; }
    [[nodiscard]] bool isEmpty() const { return m_pieces.empty(); }
    [[nodiscard]] qreal width() const { return m_width; }
    [[nodiscard]] qreal height() const;
    /// Width of the longest line; lays out everything, for short texts only.
    [[nodiscard]] qreal naturalWidth();

    /// Lays out what lies between `top` and `bottom`; true when a height changed by it.
    bool layOut(qreal top, qreal bottom);
    /// Gives back layouts far from what is seen, once there are many; the heights stay known.
    void releaseOutside(qreal top, qreal bottom);
    /// Index of the piece at height y, the nearest one where there is none.
    [[nodiscard]] std::size_t pieceAt(qreal y) const;
    [[nodiscard]] std::size_t pieceOf(TextPosition position) const;
    /// Distance of a block's content from the section's left edge.
    [[nodiscard]] qreal indentOf(const markdown::Block &block) const;
    /// Ground of the whole block that a piece belongs to (code), as far as the piece shows it.
    [[nodiscard]] QRectF pieceRect(const Piece &piece) const;

    /// The character under a point, none beside the text. What it returns is laid out.
    [[nodiscard]] std::optional<TextPosition> characterAt(QPointF point) const;
    /// The place between characters nearest to a point.
    [[nodiscard]] TextPosition placeAt(QPointF point) const;
    /// Rectangles of the characters between two places, as far as they are laid out.
    [[nodiscard]] std::vector<QRectF> rects(TextPosition from, TextPosition to) const;
    /// Where a caret stands; lays out what it needs.
    [[nodiscard]] QRectF caret(TextPosition position);
    [[nodiscard]] TextPosition end() const;

    /// Rendered places of a range of source bytes; equal places when none of it is rendered.
    [[nodiscard]] std::pair<TextPosition, TextPosition> rendered(std::size_t begin, std::size_t end) const;
    /// First source byte of the character after a place.
    [[nodiscard]] std::optional<std::size_t> sourceOf(TextPosition position) const;
    [[nodiscard]] QString text(TextPosition from, TextPosition to) const;

private:
    void rebuildPieces(markdown::Change change);
    void addPieces(int block, int start);
    void addTable(int block);
    void estimate(Piece &piece) const;
    void finish(Piece &piece, qreal textHeight) const;
    [[nodiscard]] qreal gapBefore(const Piece &piece) const;
    void layOutPiece(Piece &piece);
    qreal layOutPart(const markdown::Block &block, Part &part);
    void restack(std::size_t from);

    SectionStyle m_style;
    qreal m_width = 0;
    Mode m_mode = Mode::Markdown;
    markdown::IncrementalParser m_parser;
    markdown::Blocks m_plain; ///< in the modes without Markdown
    std::size_t m_sourceSize = 0;
    std::vector<Piece> m_pieces;
    int m_laidOut = 0; ///< pieces laid out since layouts were last given back
};

} // namespace bathyscope::ui
