// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/markdown/parser.h"

#include <md4c.h>

#include <string_view>
#include <vector>

namespace bathyscope::ui::markdown {

/// Turns the parser's nested events into flat blocks and finds the place of every character in the source.
class BlockBuilder {
public:
    /// Bytes of `source` before `rendered` belong to blocks that are there already.
    BlockBuilder(std::string_view source, std::size_t rendered);

    void enterLevel() { ++m_depth; }
    void leaveLevel() { --m_depth; }
    void enterQuote();
    void leaveQuote();
    void enterList(qint64 start, QChar delimiter, bool tight); ///< start -1: without numbers
    void leaveList();
    void enterItem(bool task, bool checked);
    void leaveItem();
    Block &openLeaf(Block::Kind kind);
    void closeLeaf();
    void enterCell(MD_ALIGN align);
    void leaveCell();
    void leaveRow();

    void enterSpan(StyleFlag style, const QString &address);
    void leaveSpan();
    void imageAddress(std::string_view written, const QString &address);

    void text(std::string_view piece);
    void html(std::string_view piece);
    void entity(std::string_view piece);
    void lineBreak();
    void nullCharacter();

    [[nodiscard]] ParseResult take();

private:
    struct List {
        qint64 next = -1;
        QChar delimiter;
        bool tight = false;
    };
    struct OpenSpan {
        std::uint8_t style = 0;
        QString address;
    };

    [[nodiscard]] bool inSource(std::string_view piece) const;
    [[nodiscard]] bool isInline(std::string_view address) const;
    [[nodiscard]] bool startsAfterBlankLine(std::size_t offset, std::size_t &lineStart) const;
    Block &leaf();
    void styled(int start, std::uint8_t extra = 0);
    void placeAt(std::size_t offset);
    void placePending(std::size_t offset);
    void placePendingAtEnd();
    void append(std::string_view piece, std::uint8_t extra = 0);
    void noteCheckpoint(std::size_t offset);

    std::string_view m_source;
    std::size_t m_cursor; ///< end of the last piece that was found in the source
    ParseResult m_result;
    std::vector<Container> m_containers;
    std::vector<List> m_lists;
    std::vector<OpenSpan> m_spans;
    bool m_open = false; ///< the last block of the result still takes text
    bool m_implicit = false; ///< it is the text of a tight item, which has no paragraph of its own
    bool m_untouched = false; ///< no piece of it was found in the source yet
    int m_depth = 0; ///< 1 is the document
    int m_leafDepth = 0;
    int m_row = 0;
    int m_column = 0;
    int m_pending = 0; ///< units at the block's end whose place is known once the next piece comes
};

} // namespace bathyscope::ui::markdown
