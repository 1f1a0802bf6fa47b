// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/markdown/block_builder.h"

#include "ui/markdown/entities.h"

#include <algorithm>
#include <functional>

namespace bathyscope::ui::markdown {

namespace {

bool isLineEnd(char c)
{
    return c == '\n' || c == '\r';
}

bool isSpace(char c)
{
    return c == ' ' || c == '\t';
}

} // namespace

BlockBuilder::BlockBuilder(std::string_view source, std::size_t rendered)
    : m_source(source)
    , m_cursor(rendered)
{
}

void BlockBuilder::enterQuote()
{
    closeLeaf();
    m_containers.push_back({Container::Kind::Quote, {}});
}

void BlockBuilder::leaveQuote()
{
    closeLeaf();
    m_containers.pop_back();
}

void BlockBuilder::enterList(qint64 start, QChar delimiter, bool tight)
{
    closeLeaf();
    m_lists.push_back({start, delimiter, tight});
}

void BlockBuilder::leaveList()
{
    m_lists.pop_back();
}

void BlockBuilder::enterItem(bool task, bool checked)
{
    closeLeaf();
    List &list = m_lists.back();
    QString marker = QStringLiteral("•");
    if (list.next >= 0)
        marker = QString::number(list.next++) + list.delimiter;
    if (task)
        marker = checked ? QStringLiteral("☑") : QStringLiteral("☐");
    m_containers.push_back({Container::Kind::Item, marker});
}

void BlockBuilder::leaveItem()
{
    // An item without content still shows its marker: while text streams in, every item begins so.
    if (!m_containers.back().marker.isEmpty())
        openLeaf(Block::Kind::Paragraph);
    closeLeaf();
    m_containers.pop_back();
}

Block &BlockBuilder::openLeaf(Block::Kind kind)
{
    closeLeaf();
    Block &block = m_result.blocks.emplace_back();
    block.kind = kind;
    block.tight = !m_lists.empty() && m_lists.back().tight;
    block.containers = m_containers;
    for (Container &container : m_containers)
        container.marker.clear();
    m_open = true;
    m_implicit = false;
    m_untouched = true;
    m_leafDepth = m_depth;
    m_row = 0;
    m_column = 0;
    return block;
}

void BlockBuilder::closeLeaf()
{
    if (!m_open)
        return;
    placePendingAtEnd();
    Block &block = m_result.blocks.back();
    const bool verbatim = block.kind == Block::Kind::CodeBlock || block.kind == Block::Kind::HtmlBlock
        || block.kind == Block::Kind::Table;
    if (verbatim && block.text.endsWith(u'\n')) {
        block.text.chop(1);
        block.source.pop_back();
    }
    block.sourceEnd = m_cursor;
    // No span outlives its block, though md4c may forget to leave one where links and emphasis cross.
    m_spans.clear();
    m_open = false;
    m_implicit = false;
}

Block &BlockBuilder::leaf()
{
    if (!m_open) {
        openLeaf(Block::Kind::Paragraph);
        m_implicit = true;
    }
    return m_result.blocks.back();
}

void BlockBuilder::enterCell(MD_ALIGN align)
{
    Block &block = leaf();
    Cell cell;
    cell.start = static_cast<int>(block.text.size());
    cell.row = m_row;
    cell.column = m_column;
    if (align == MD_ALIGN_CENTER)
        cell.alignment = Qt::AlignHCenter;
    else if (align == MD_ALIGN_RIGHT)
        cell.alignment = Qt::AlignRight;
    block.cells.push_back(cell);
}

void BlockBuilder::leaveCell()
{
    placePendingAtEnd();
    Block &block = leaf();
    Cell &cell = block.cells.back();
    cell.length = static_cast<int>(block.text.size()) - cell.start;
    const auto at = static_cast<std::uint32_t>(m_cursor);
    block.append(QStringLiteral("\t"), {at, at});
    ++m_column;
}

void BlockBuilder::leaveRow()
{
    leaf().text.back() = u'\n';
    ++m_row;
    m_column = 0;
}

void BlockBuilder::enterSpan(StyleFlag style, const QString &address)
{
    OpenSpan span;
    if (!m_spans.empty())
        span = m_spans.back();
    span.style |= style;
    if (!address.isEmpty())
        span.address = address;
    m_spans.push_back(span);
}

void BlockBuilder::leaveSpan()
{
    // md4c leaves a span that it never entered where an autolink crosses the end of a link.
    if (!m_spans.empty())
        m_spans.pop_back();
}

/// Shows where an image is, in parentheses; `written` is its address as the parser hands it over.
void BlockBuilder::imageAddress(std::string_view written, const QString &address)
{
    const auto added = [this](const QString &text) {
        const int start = static_cast<int>(leaf().text.size());
        const auto at = static_cast<std::uint32_t>(m_cursor);
        leaf().append(text, {at, at});
        styled(start);
    };
    leaf();
    const bool verbatim = inSource(written) && isInline(written);
    if (verbatim) {
        const auto offset = static_cast<std::size_t>(written.data() - m_source.data());
        placeAt(offset);
        m_cursor = offset;
    } else {
        placePendingAtEnd();
    }
    added(leaf().text.isEmpty() ? QStringLiteral("(") : QStringLiteral(" ("));
    if (verbatim)
        append(written);
    else
        added(address);
    added(QStringLiteral(")"));
}

void BlockBuilder::text(std::string_view piece)
{
    append(piece);
}

void BlockBuilder::html(std::string_view piece)
{
    append(piece, Html);
}

void BlockBuilder::entity(std::string_view piece)
{
    Block &block = leaf();
    if (!inSource(piece))
        return append(piece);
    const auto offset = static_cast<std::size_t>(piece.data() - m_source.data());
    placeAt(offset);
    const int start = static_cast<int>(block.text.size());
    m_cursor = offset + piece.size();
    block.append(entityText(piece),
                 {static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(m_cursor)});
    styled(start);
}

void BlockBuilder::lineBreak()
{
    append("\n");
}

void BlockBuilder::nullCharacter()
{
    // Its place is found by search, which may meet one of a code block's language before it: no checkpoint.
    leaf();
    m_untouched = false;
    const auto found = m_source.find('\0', m_cursor);
    if (found != std::string_view::npos)
        append(m_source.substr(found, 1));
}

ParseResult BlockBuilder::take()
{
    closeLeaf();
    return std::move(m_result);
}

bool BlockBuilder::inSource(std::string_view piece) const
{
    constexpr std::less_equal<const char *> notAfter;
    return !piece.empty() && notAfter(m_source.data() + m_cursor, piece.data())
        && notAfter(piece.data() + piece.size(), m_source.data() + m_source.size());
}

/// Whether an address stands in the link itself, "[text](address)", and not in a definition elsewhere.
bool BlockBuilder::isInline(std::string_view address) const
{
    const auto offset = static_cast<std::size_t>(address.data() - m_source.data());
    const std::string_view between = m_source.substr(m_cursor, offset - m_cursor);
    const std::size_t last = between.find_last_not_of(" \t\r\n<");
    return last != std::string_view::npos && last > 0 && between.substr(last - 1, 2) == "](";
}

void BlockBuilder::append(std::string_view piece, std::uint8_t extra)
{
    if (piece.empty())
        return;
    Block &block = leaf();
    const int start = static_cast<int>(block.text.size());
    if (inSource(piece)) {
        const auto offset = static_cast<std::size_t>(piece.data() - m_source.data());
        placeAt(offset);
        block.append(piece, offset);
        m_cursor = offset + piece.size();
    } else {
        // Line ends and indentation are handed over as constants: their place is found from what follows.
        const auto at = static_cast<std::uint32_t>(m_cursor);
        const QString made = QString::fromUtf8(piece.data(), static_cast<qsizetype>(piece.size()));
        block.append(made, {at, at});
        m_pending += static_cast<int>(made.size());
    }
    styled(start, extra);
}

/// Gives the text from `start` on the style of the open spans.
void BlockBuilder::styled(int start, std::uint8_t extra)
{
    OpenSpan style;
    if (!m_spans.empty())
        style = m_spans.back();
    style.style |= extra;
    Block &block = m_result.blocks.back();
    const int length = static_cast<int>(block.text.size()) - start;
    if (style.style == 0 || length == 0)
        return;
    if (!block.spans.empty()) {
        Span &last = block.spans.back();
        if (last.start + last.length == start && last.style == style.style && last.address == style.address) {
            last.length += length;
            return;
        }
    }
    block.spans.push_back({start, length, style.style, style.address});
}

void BlockBuilder::placeAt(std::size_t offset)
{
    placePending(offset);
    if (m_untouched)
        noteCheckpoint(offset);
    m_untouched = false;
}

/// Places the units that wait backwards from `offset`, where the text after them stands.
void BlockBuilder::placePending(std::size_t offset)
{
    Block &block = m_result.blocks.back();
    std::size_t at = offset;
    const std::size_t first = block.source.size() - static_cast<std::size_t>(m_pending);
    for (std::size_t unit = block.source.size(); unit-- > first;) {
        const bool line = block.text[static_cast<qsizetype>(unit)] == u'\n';
        std::size_t found = at;
        while (found > m_cursor
               && !(isLineEnd(m_source[found - 1]) || (!line && isSpace(m_source[found - 1]))))
            --found;
        if (found > m_cursor && (line || found == at)) {
            block.source[unit] = {static_cast<std::uint32_t>(found - 1), static_cast<std::uint32_t>(found)};
            at = found - 1;
            if (line && at > m_cursor && m_source[at] == '\n' && m_source[at - 1] == '\r')
                --at;
        } else {
            block.source[unit] = {static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(at)};
        }
    }
    m_pending = 0;
}

/// Places the units that wait at the end of a block, after which nothing came: forwards.
void BlockBuilder::placePendingAtEnd()
{
    if (m_pending == 0)
        return;
    Block &block = m_result.blocks.back();
    for (std::size_t unit = block.source.size() - static_cast<std::size_t>(m_pending);
         unit < block.source.size(); ++unit) {
        const bool line = block.text[static_cast<qsizetype>(unit)] == u'\n';
        const std::size_t found = line ? m_source.find_first_of("\r\n", m_cursor) : std::string_view::npos;
        if (found != std::string_view::npos)
            m_cursor = found + 1;
        const auto end = static_cast<std::uint32_t>(m_cursor);
        block.source[unit] = {found != std::string_view::npos ? end - 1 : end, end};
    }
    m_pending = 0;
}

bool BlockBuilder::startsAfterBlankLine(std::size_t offset, std::size_t &lineStart) const
{
    std::size_t at = offset;
    while (at > 0 && !isLineEnd(m_source[at - 1]))
        --at;
    lineStart = at;
    if (at == 0)
        return false;
    --at;
    if (at > 0 && m_source[at] == '\n' && m_source[at - 1] == '\r')
        --at;
    while (at > 0 && isSpace(m_source[at - 1]))
        --at;
    return at > 0 && isLineEnd(m_source[at - 1]);
}

/// A paragraph or heading of the document itself, after a blank line and on a line that is complete, ends
/// everything before it for good. Not where it is indented: behind an empty list item md4c counts indentation
/// otherwise than at a document's beginning.
void BlockBuilder::noteCheckpoint(std::size_t offset)
{
    const Block::Kind kind = m_result.blocks.back().kind;
    const bool suitable = kind == Block::Kind::Paragraph || kind == Block::Kind::Heading;
    std::size_t lineStart = 0;
    if (m_leafDepth != 2 || !suitable || m_implicit || !m_result.blocks.back().text.isEmpty()
        || !startsAfterBlankLine(offset, lineStart) || isSpace(m_source[lineStart]))
        return;
    if (m_source.find('\n', offset) != std::string_view::npos)
        m_result.last = {lineStart, m_result.blocks.size() - 1, m_cursor};
}

} // namespace bathyscope::ui::markdown
