// SPDX-License-Identifier: GPL-3.0-or-later
//
// Text as it is rendered: a flat list of blocks, in which every UTF-16 unit knows the bytes of the source it
// came from. Nothing here is ever loaded or interpreted: images and raw HTML are text.
#pragma once

#include <QString>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace bathyscope::ui::markdown {

/// Half-open range of bytes of the source. Empty for what the renderer added (brackets of an address, …).
struct SourceRange {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    bool operator==(const SourceRange &) const = default;
};

enum StyleFlag : std::uint8_t {
    Bold = 1,
    Italic = 2,
    Strikethrough = 4,
    Code = 8,
    Link = 16,
    Html = 32 ///< raw HTML, shown as it was written
};

/// A stretch of a block's text in one style.
struct Span {
    int start = 0; ///< UTF-16 units
    int length = 0;
    std::uint8_t style = 0; ///< of StyleFlag
    QString address; ///< whole address of a link, as written

    bool operator==(const Span &) const = default;
};

/// A quote or list item that a block stands in.
struct Container {
    enum class Kind : std::uint8_t { Quote, Item };
    Kind kind = Kind::Quote;
    QString marker; ///< of an item, at its first block only: "•", "3.", "☑"

    bool operator==(const Container &) const = default;
};

/// One cell of a table, as a range of the block's text.
struct Cell {
    int start = 0;
    int length = 0;
    int row = 0; ///< 0 is the head
    int column = 0;
    Qt::Alignment alignment = Qt::AlignLeft;

    bool operator==(const Cell &) const = default;
};

struct Block {
    enum class Kind : std::uint8_t { Paragraph, Heading, CodeBlock, HtmlBlock, Table, Rule, Plain, Raw };
    Kind kind = Kind::Paragraph;
    int level = 0; ///< of a heading, 1…6
    bool tight = false; ///< in a list without gaps between its items
    std::vector<Container> containers; ///< outermost first
    QString language; ///< of a code block; may be empty
    QString text; ///< lines end with '\n'; a table's cells end with '\t', its rows with '\n'
    std::vector<SourceRange> source; ///< one for each unit of `text`, ascending
    std::vector<Span> spans; ///< styled stretches, ascending, not overlapping
    std::vector<Cell> cells; ///< of a table, row by row
    std::size_t sourceEnd = 0; ///< byte after the last one that this block, or one before it, renders

    bool operator==(const Block &) const = default;

    /// Appends the characters of `utf8`, which begins at byte `offset` of the source. Invalid bytes
    /// become U+FFFD, one each.
    void append(std::string_view utf8, std::size_t offset);
    /// Appends text that came from the bytes `range`.
    void append(const QString &rendered, SourceRange range);
    /// First unit whose source ends after byte `offset`; text.size() when there is none.
    [[nodiscard]] int unitAt(std::size_t offset) const;
};

using Blocks = std::vector<Block>;

/// Bytes of `utf8` without a character that is cut off at its end.
[[nodiscard]] std::size_t completeLength(std::string_view utf8);

/// What somebody wrote, line by line, without any markup.
[[nodiscard]] Blocks plainBlocks(std::string_view utf8);

/// The source itself, to be shown in monospace.
[[nodiscard]] Blocks rawBlocks(std::string_view utf8);

} // namespace bathyscope::ui::markdown
