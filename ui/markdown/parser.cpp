// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/markdown/parser.h"

#include "ui/markdown/block_builder.h"
#include "ui/markdown/entities.h"

#include <md4c.h>

#include <algorithm>
#include <string>

namespace bathyscope::ui::markdown {

namespace {

BlockBuilder &builder(void *user)
{
    return *static_cast<BlockBuilder *>(user);
}

QString attribute(const MD_ATTRIBUTE &value)
{
    QString result;
    for (int i = 0; value.size > 0 && value.substr_offsets[i] < value.size; ++i) {
        const MD_OFFSET begin = value.substr_offsets[i];
        const std::string_view part(value.text + begin, value.substr_offsets[i + 1] - begin);
        if (value.substr_types[i] == MD_TEXT_ENTITY)
            result += entityText(part);
        else
            result += QString::fromUtf8(part.data(), static_cast<qsizetype>(part.size()));
    }
    return result;
}

int enterBlock(MD_BLOCKTYPE type, void *detail, void *user)
{
    BlockBuilder &to = builder(user);
    to.enterLevel();
    switch (type) {
    case MD_BLOCK_QUOTE:
        to.enterQuote();
        break;
    case MD_BLOCK_UL:
        to.enterList(-1, QChar(), static_cast<MD_BLOCK_UL_DETAIL *>(detail)->is_tight != 0);
        break;
    case MD_BLOCK_OL: {
        const auto *list = static_cast<MD_BLOCK_OL_DETAIL *>(detail);
        to.enterList(static_cast<qint64>(list->start), QLatin1Char(list->mark_delimiter),
                     list->is_tight != 0);
        break;
    }
    case MD_BLOCK_LI: {
        const auto *item = static_cast<MD_BLOCK_LI_DETAIL *>(detail);
        to.enterItem(item->is_task != 0, item->task_mark != ' ');
        break;
    }
    case MD_BLOCK_HR:
        to.openLeaf(Block::Kind::Rule);
        break;
    case MD_BLOCK_H:
        to.openLeaf(Block::Kind::Heading).level =
            static_cast<int>(static_cast<MD_BLOCK_H_DETAIL *>(detail)->level);
        break;
    case MD_BLOCK_CODE:
        to.openLeaf(Block::Kind::CodeBlock).language =
            attribute(static_cast<MD_BLOCK_CODE_DETAIL *>(detail)->lang);
        break;
    case MD_BLOCK_HTML:
        to.openLeaf(Block::Kind::HtmlBlock);
        break;
    case MD_BLOCK_P:
        to.openLeaf(Block::Kind::Paragraph);
        break;
    case MD_BLOCK_TABLE:
        to.openLeaf(Block::Kind::Table);
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        to.enterCell(static_cast<MD_BLOCK_TD_DETAIL *>(detail)->align);
        break;
    default:
        break;
    }
    return 0;
}

int leaveBlock(MD_BLOCKTYPE type, void * /*detail*/, void *user)
{
    BlockBuilder &to = builder(user);
    switch (type) {
    case MD_BLOCK_QUOTE:
        to.leaveQuote();
        break;
    case MD_BLOCK_UL:
    case MD_BLOCK_OL:
        to.leaveList();
        break;
    case MD_BLOCK_LI:
        to.leaveItem();
        break;
    case MD_BLOCK_TH:
    case MD_BLOCK_TD:
        to.leaveCell();
        break;
    case MD_BLOCK_TR:
        to.leaveRow();
        break;
    case MD_BLOCK_HR:
    case MD_BLOCK_H:
    case MD_BLOCK_CODE:
    case MD_BLOCK_HTML:
    case MD_BLOCK_P:
    case MD_BLOCK_TABLE:
        to.closeLeaf();
        break;
    default:
        break;
    }
    to.leaveLevel();
    return 0;
}

StyleFlag styleOf(MD_SPANTYPE type)
{
    switch (type) {
    case MD_SPAN_EM:
        return Italic;
    case MD_SPAN_STRONG:
        return Bold;
    case MD_SPAN_CODE:
        return Code;
    case MD_SPAN_DEL:
        return Strikethrough;
    default:
        return Link;
    }
}

int enterSpan(MD_SPANTYPE type, void *detail, void *user)
{
    QString address;
    if (type == MD_SPAN_A)
        address = attribute(static_cast<MD_SPAN_A_DETAIL *>(detail)->href);
    else if (type == MD_SPAN_IMG)
        address = attribute(static_cast<MD_SPAN_IMG_DETAIL *>(detail)->src);
    builder(user).enterSpan(styleOf(type), address);
    return 0;
}

int leaveSpan(MD_SPANTYPE type, void *detail, void *user)
{
    if (type == MD_SPAN_IMG) {
        const MD_ATTRIBUTE &address = static_cast<MD_SPAN_IMG_DETAIL *>(detail)->src;
        builder(user).imageAddress({address.text, address.size}, attribute(address));
    }
    builder(user).leaveSpan();
    return 0;
}

int text(MD_TEXTTYPE type, const MD_CHAR *characters, MD_SIZE size, void *user)
{
    BlockBuilder &to = builder(user);
    const std::string_view piece(characters, size);
    switch (type) {
    case MD_TEXT_NULLCHAR:
        to.nullCharacter();
        break;
    case MD_TEXT_BR:
    case MD_TEXT_SOFTBR:
        to.lineBreak();
        break;
    case MD_TEXT_ENTITY:
        to.entity(piece);
        break;
    case MD_TEXT_HTML:
        to.html(piece);
        break;
    default:
        to.text(piece);
        break;
    }
    return 0;
}

} // namespace

ParseResult parse(std::string_view source, const Checkpoint &from)
{
    // md4c 0.4.8 looks some bytes past the end of a text that stops within a link, as streamed text does.
    constexpr std::size_t margin = 64;
    // Where it asks whether a list item is still empty (top_block in md_analyze_line) it may take the low
    // byte of a line's offset for the type of a block. So the tail is handed over behind as many blank lines
    // as give each byte the offset, modulo 256, that it has in the whole.
    constexpr std::size_t period = 256;
    const std::size_t begin = from.offset - from.offset % period;
    std::string padded;
    padded.reserve(source.size() + margin);
    padded.append(source).append(margin, '\0');
    std::fill(padded.begin() + static_cast<std::ptrdiff_t>(begin),
              padded.begin() + static_cast<std::ptrdiff_t>(from.offset), '\n');
    const std::string_view copy(padded.data(), source.size());
    BlockBuilder to(copy, from.rendered);
    MD_PARSER parser{};
    parser.flags = MD_DIALECT_GITHUB;
    parser.enter_block = enterBlock;
    parser.leave_block = leaveBlock;
    parser.enter_span = enterSpan;
    parser.leave_span = leaveSpan;
    parser.text = text;
    const std::string_view tail = copy.substr(begin);
    md_parse(tail.data(), static_cast<MD_SIZE>(tail.size()), &parser, &to);
    return to.take();
}

bool mayDefineReferences(std::string_view source)
{
    return source.find("]:") != std::string_view::npos;
}

namespace {

/// Units at the beginning of two blocks that are rendered alike in both.
int sameUnits(const Block &before, const Block &after)
{
    if (before.kind != after.kind || before.level != after.level || before.tight != after.tight
        || before.containers != after.containers || before.language != after.language
        || before.kind == Block::Kind::Table)
        return 0;
    const auto text =
        std::mismatch(before.text.begin(), before.text.end(), after.text.begin(), after.text.end());
    auto same = static_cast<int>(text.first - before.text.begin());
    const auto spans =
        std::mismatch(before.spans.begin(), before.spans.end(), after.spans.begin(), after.spans.end());
    for (const auto &[span, end] :
         {std::pair(spans.first, before.spans.end()), std::pair(spans.second, after.spans.end())}) {
        if (span != end)
            same = std::min(same, span->start);
    }
    return same;
}

} // namespace

Change firstChange(const Blocks &before, const Blocks &after, std::size_t from)
{
    const auto first = static_cast<std::ptrdiff_t>(std::min({from, before.size(), after.size()}));
    const auto [old, now] =
        std::mismatch(before.begin() + first, before.end(), after.begin() + first, after.end());
    const auto block = static_cast<std::size_t>(now - after.begin());
    const bool both = old != before.end() && now != after.end();
    return {block, both ? sameUnits(*old, *now) : 0};
}

Change IncrementalParser::update(std::string_view source)
{
    if (source.size() < m_seen)
        *this = {};
    const std::size_t overlap = m_seen > 0 ? m_seen - 1 : 0;
    if (!m_references && mayDefineReferences(source.substr(overlap))) {
        m_references = true;
        m_checkpoint = {};
    }
    m_seen = source.size();

    const Checkpoint begin = m_checkpoint;
    ParseResult result = parse(source, begin);
    Blocks before(std::make_move_iterator(m_blocks.begin() + static_cast<std::ptrdiff_t>(begin.blocks)),
                  std::make_move_iterator(m_blocks.end()));
    Change change = firstChange(before, result.blocks);
    change.block += begin.blocks;
    m_blocks.resize(begin.blocks);
    m_blocks.insert(m_blocks.end(), std::make_move_iterator(result.blocks.begin()),
                    std::make_move_iterator(result.blocks.end()));
    if (!m_references && result.last.offset > begin.offset)
        m_checkpoint = {result.last.offset, begin.blocks + result.last.blocks, result.last.rendered};
    return change;
}

} // namespace bathyscope::ui::markdown
