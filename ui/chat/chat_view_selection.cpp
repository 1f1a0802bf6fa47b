// SPDX-License-Identifier: GPL-3.0-or-later
//
// ChatView: the selected token and the selected text.
#include "ui/chat/chat_view.h"

#include "ui/chat/message_text.h"
#include "ui/chat/token_map.h"

#include <QClipboard>
#include <QGuiApplication>

#include <algorithm>
#include <cmath>
#include <utility>

namespace bathyscope::ui {

namespace {

constexpr qreal keepVisible = 40; ///< px between the selected token and the edge
constexpr qreal lineSearch = 6; ///< px, steps in looking for the next line
constexpr int lineSearchSteps = 80;
constexpr int markMargin = 2; ///< px that the mark of a token reaches beyond its line

} // namespace

void ChatView::showSelectedToken()
{
    if (const auto &token = m_selection->token())
        scrollToToken(*token);
    // A walk from token to token is to be quick: only the lines that look otherwise now are painted.
    updateLines(std::exchange(m_shownRange, m_selection->range()));
    updateLines(m_shownRange);
}

void ChatView::updateLines(const std::optional<TokenRange> &range)
{
    if (!range)
        return;
    const std::vector<QRectF> first = contentRects({range->message, range->first});
    const std::vector<QRectF> last = contentRects({range->message, range->last});
    if (first.empty() || last.empty())
        return viewport()->update();
    const QRectF lines = first.front().united(last.back()).translated(0, -m_scroll);
    viewport()->update(0, static_cast<int>(std::floor(lines.top())) - markMargin, viewport()->width(),
                       static_cast<int>(std::ceil(lines.height())) + 2 * markMargin + 1);
}

void ChatView::scrollToMessage(MessageId id)
{
    const int row = m_model->rowOf(id);
    if (row < 0)
        return;
    m_following = false;
    // Laying out what comes into sight can correct heights on the way.
    for (int pass = 0; pass < 3; ++pass) {
        setScroll(m_transcript.item(row).top);
        layOut();
    }
}

void ChatView::scrollToToken(const TokenPosition &position)
{
    const int row = m_model->rowOf(position.message);
    if (row < 0 || position.token < 0
        || position.token >= static_cast<int>(m_model->message(row).tokens.size()))
        return;
    const ChatMessage &message = m_model->message(row);
    Transcript::Item &item = m_transcript.item(row);
    if (message.tokens[static_cast<std::size_t>(position.token)].section == Section::Reasoning
        && !item.view.wantsOpen(message)) {
        item.view.openedByHand = true;
        item.view.openness = 1;
        item.dirty = true;
    }
    if (item.dirty || m_layoutTimer.isActive())
        layOut();
    // Laying out what comes into sight can correct heights on the way.
    for (int pass = 0; pass < 3; ++pass) {
        if (const auto rect = contentRect(position))
            scrollTo(*rect);
    }
}

std::vector<QRectF> ChatView::contentRects(const TokenPosition &position) const
{
    const int row = m_model->rowOf(position.message);
    if (row < 0)
        return {};
    MessageLayout &layout = m_transcript.prepare(row);
    const auto range = tokenmap::rangeOf(m_model->message(row), layout, position.token);
    if (!range)
        return {};
    SectionLayout &section = layout.section(range->section);
    const QRectF caret = section.caret(range->from); // lays out what rects() needs
    std::vector<QRectF> rects = section.rects(range->from, range->to);
    if (rects.empty())
        rects.push_back(caret);
    const QPointF origin = QPointF(0, m_transcript.item(row).top) + layout.originOf(range->section);
    for (QRectF &rect : rects)
        rect.translate(origin);
    return rects;
}

std::optional<QRectF> ChatView::contentRect(const TokenPosition &position) const
{
    const std::vector<QRectF> rects = contentRects(position);
    return rects.empty() ? std::nullopt : std::optional(rects.front());
}

void ChatView::scrollTo(const QRectF &content)
{
    const qreal height = viewport()->height();
    const qreal margin = std::min(keepVisible, height / 4);
    qreal target = m_scroll;
    if (content.bottom() + margin > m_scroll + height)
        target = content.bottom() + margin - height;
    if (content.top() - margin < target)
        target = std::max(content.top() - margin, 0.0);
    target = std::min(target, std::max(m_transcript.height() - height, 0.0));
    if (qFuzzyCompare(target + 1, m_scroll + 1))
        return;
    m_following = false;
    m_scroll = target;
    layOut();
}

QRect ChatView::tokenRect(const TokenPosition &position) const
{
    const auto rect = contentRect(position);
    return rect ? rect->translated(left(), -m_scroll).toAlignedRect() : QRect();
}

QRect ChatView::actionRect(MessageId id, Action action, int argument) const
{
    const int row = m_model->rowOf(id);
    if (row < 0)
        return {};
    for (const Hotspot &hotspot : m_transcript.prepare(row).hotspots()) {
        if (hotspot.action == action && hotspot.argument == argument)
            return hotspot.rect.translated(left(), m_transcript.item(row).top - m_scroll).toAlignedRect();
    }
    return {};
}

QRect ChatView::messageRect(int row) const
{
    if (row < 0 || row >= m_transcript.count())
        return {};
    const Transcript::Item &item = m_transcript.item(row);
    return QRectF(left(), item.top - m_scroll, m_transcript.width(), item.height).toAlignedRect();
}

void ChatView::walkTokens(int step)
{
    const auto &current = m_selection->token();
    const bool known = current && m_model->rowOf(current->message) >= 0;
    const auto next = known ? tokenmap::neighbour(*m_model, *current, step) : tokenmap::lastReply(*m_model);
    if (next)
        m_selection->walkTo(*next);
}

void ChatView::extendTokens(int step)
{
    const auto &current = m_selection->token();
    const auto next = current ? tokenmap::neighbour(*m_model, *current, step) : std::nullopt;
    if (next && next->message == current->message)
        m_selection->extendTo(next->token);
}

/// Text of one reply that was selected with the mouse is a range of tokens, too.
void ChatView::selectDraggedTokens()
{
    const auto [from, to] = selectedRange();
    if (from.row != to.row || from == to || m_model->message(from.row).role != Role::Assistant)
        return;
    const ChatMessage &message = m_model->message(from.row);
    const MessageLayout &layout = m_transcript.prepare(from.row);
    const auto first = tokenmap::tokenAt(message, layout, from.section, from.text);
    const TextPosition end{to.text.block, std::max(to.text.offset - 1, 0)};
    const auto last = tokenmap::tokenAt(message, layout, to.section, end);
    if (first && last)
        m_selection->setRange(message.id, *first, *last);
}

std::optional<TokenPosition> ChatView::tokenNear(QPointF content) const
{
    if (m_transcript.count() == 0 || content.y() < 0 || content.y() > m_transcript.height())
        return std::nullopt;
    TranscriptPosition place = placeAt(content);
    if (const auto character = characterAt(content))
        place = *character;
    const ChatMessage &message = m_model->message(place.row);
    const MessageLayout &layout = *m_transcript.item(place.row).layout;
    auto token = tokenmap::tokenAt(message, layout, place.section, place.text);
    // At the end of a line the place is after the last character.
    if (!token && place.text.offset > 0)
        token = tokenmap::tokenAt(message, layout, place.section, {place.text.block, place.text.offset - 1});
    return token ? std::optional(TokenPosition{message.id, *token}) : std::nullopt;
}

void ChatView::walkLines(int step)
{
    const auto current = m_selection->token();
    const auto rect = current ? contentRect(*current) : std::nullopt;
    if (!rect)
        return walkTokens(step);
    const qreal range = lineSearch * lineSearchSteps;
    m_transcript.layOutVisible(std::max(rect->top() - range, 0.0), rect->height() + 2 * range, false);
    const auto begin = contentRect(*current).value_or(*rect);
    qreal y = step > 0 ? begin.bottom() : begin.top();
    for (int i = 0; i < lineSearchSteps; ++i) {
        y += step * lineSearch;
        const auto found = tokenNear({begin.center().x(), y});
        if (!found || *found == *current)
            continue;
        const auto there = contentRect(*found);
        const bool further =
            there && (step > 0 ? there->top() > begin.top() + 4 : there->top() < begin.top() - 4);
        if (further)
            return m_selection->walkTo(*found);
    }
}

std::pair<TranscriptPosition, TranscriptPosition> ChatView::selectedRange() const
{
    if (!m_selectionAnchor)
        return {};
    return std::minmax(*m_selectionAnchor, m_selectionEnd);
}

void ChatView::selectAll()
{
    if (m_transcript.count() == 0)
        return;
    const int last = m_transcript.count() - 1;
    m_selectionAnchor = TranscriptPosition{0, Section::Reasoning, {}};
    m_selectionEnd = {last, Section::Answer, m_transcript.prepare(last).section(Section::Answer).end()};
    viewport()->update();
}

QString ChatView::textOfRow(int row, TranscriptPosition from, TranscriptPosition to) const
{
    const MessageLayout &layout = m_transcript.prepare(row);
    QStringList parts;
    for (const Section section : {Section::Reasoning, Section::Answer}) {
        const bool closed = section == Section::Reasoning && m_transcript.item(row).view.openness <= 0;
        const TranscriptPosition begin = std::max(from, {row, section, {}});
        const TranscriptPosition end = std::min(to, {row, section, layout.section(section).end()});
        if (begin >= end || closed)
            continue;
        parts << layout.section(section).text(begin.text, end.text);
    }
    return parts.join(QStringLiteral("\n\n"));
}

QString ChatView::selectedText() const
{
    const auto [from, to] = selectedRange();
    QStringList parts;
    for (int row = from.row; row <= to.row && from < to; ++row) {
        if (const QString text = textOfRow(row, from, to); !text.isEmpty())
            parts << text;
    }
    return parts.join(QStringLiteral("\n\n"));
}

void ChatView::copy()
{
    QString text = selectedText();
    if (const auto &token = m_selection->token(); text.isEmpty() && token) {
        if (const ChatMessage *message = m_model->find(token->message))
            text = messagetext::source(*message);
    }
    if (!text.isEmpty())
        QGuiApplication::clipboard()->setText(text);
}

} // namespace bathyscope::ui
