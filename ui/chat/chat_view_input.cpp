// SPDX-License-Identifier: GPL-3.0-or-later
//
// ChatView: mouse and keys.
#include "ui/chat/chat_view.h"

#include "ui/chat/message_text.h"
#include "ui/chat/token_map.h"

#include <QApplication>
#include <QClipboard>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QScrollBar>
#include <QStyleHints>
#include <QToolTip>

#include <algorithm>
#include <climits>

namespace bathyscope::ui {

namespace {

constexpr int dragScrollInterval = 30; ///< ms

} // namespace

QPointF ChatView::toContent(QPoint point) const
{
    return QPointF(point) + QPointF(-left(), m_scroll);
}

std::optional<TranscriptPosition> ChatView::characterAt(QPointF content) const
{
    const int row = m_transcript.rowAt(content.y());
    if (row < 0 || !m_transcript.item(row).layout)
        return std::nullopt;
    const MessageLayout &layout = *m_transcript.item(row).layout;
    const QPointF local = content - QPointF(0, m_transcript.item(row).top);
    const Section section = layout.sectionAt(local.y());
    const QPointF point = local - layout.originOf(section);
    if (point.y() < 0 || point.y() > layout.section(section).height())
        return std::nullopt;
    const auto character = layout.section(section).characterAt(point);
    return character ? std::optional(TranscriptPosition{row, section, *character}) : std::nullopt;
}

TranscriptPosition ChatView::placeAt(QPointF content) const
{
    const int row = std::max(m_transcript.rowAt(content.y()), 0);
    const MessageLayout &layout = m_transcript.prepare(row);
    const QPointF local = content - QPointF(0, m_transcript.item(row).top);
    const Section section = layout.sectionAt(local.y());
    return {row, section, layout.section(section).placeAt(local - layout.originOf(section))};
}

QString ChatView::linkAt(const TranscriptPosition &character) const
{
    const auto &blocks = m_transcript.item(character.row).layout->section(character.section).blocks();
    for (const markdown::Span &span : blocks[static_cast<std::size_t>(character.text.block)].spans) {
        const int offset = character.text.offset - span.start;
        if ((span.style & markdown::Link) != 0 && offset >= 0 && offset < span.length)
            return span.address;
    }
    return {};
}

ChatView::Hit ChatView::hitAt(QPoint point) const
{
    Hit hit;
    const QPointF content = toContent(point);
    const int row = m_transcript.rowAt(content.y());
    if (row < 0 || !m_transcript.item(row).layout || !viewport()->rect().contains(point))
        return hit;
    const Transcript::Item &item = m_transcript.item(row);
    const QPointF local = content - QPointF(0, item.top);
    hit.row = local.y() < item.layout->height() ? row : -1;
    const std::vector<Hotspot> &hotspots = item.layout->hotspots();
    for (std::size_t i = 0; i < hotspots.size(); ++i) {
        if (hotspots[i].enabled && hotspots[i].rect.contains(local)) {
            hit.hotspot = {row, static_cast<int>(i)};
            return hit;
        }
    }
    if (const auto character = characterAt(content)) {
        const ChatMessage &message = m_model->message(row);
        hit.overText = true;
        hit.link = linkAt(*character);
        if (const auto token = tokenmap::tokenAt(message, *item.layout, character->section, character->text))
            hit.token = TokenPosition{message.id, *token};
    }
    return hit;
}

void ChatView::setHit(const Hit &hit, QPoint globalPosition)
{
    if (hit == m_hit)
        return;
    if (hit.link != m_hit.link) {
        // The whole address, before anything is opened.
        if (hit.link.isEmpty())
            QToolTip::hideText();
        else
            QToolTip::showText(globalPosition, hit.link.toHtmlEscaped(), viewport());
        emit linkHovered(hit.link);
    }
    if (hit.hotspot != m_hit.hotspot && hit.hotspot.index >= 0) {
        const auto &hotspots = m_transcript.item(hit.hotspot.row).layout->hotspots();
        const Hotspot &hotspot = hotspots[static_cast<std::size_t>(hit.hotspot.index)];
        if (hotspot.action == Action::ShowSibling)
            QToolTip::showText(globalPosition, hotspot.label, viewport());
    }
    m_hit = hit;
    m_selection->setHoveredToken(hit.token);
    const bool points = hit.hotspot.index >= 0 || !hit.link.isEmpty();
    viewport()->setCursor(points ? Qt::PointingHandCursor : hit.overText ? Qt::IBeamCursor : Qt::ArrowCursor);
    viewport()->update();
}

void ChatView::mousePressEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton || m_transcript.count() == 0)
        return;
    m_pressed = hitAt(event->pos());
    m_pressedAt = event->pos();
    m_focused = {};
    m_dragging = false;
    if (m_pressed.hotspot.index >= 0)
        return;
    if ((event->modifiers() & Qt::ShiftModifier) != 0 && m_selectionAnchor) {
        m_selectionEnd = placeAt(toContent(event->pos()));
        m_dragging = true;
    } else {
        m_selectionAnchor = placeAt(toContent(event->pos()));
        m_selectionEnd = *m_selectionAnchor;
    }
    viewport()->update();
}

void ChatView::mouseMoveEvent(QMouseEvent *event)
{
    const bool selecting =
        m_pressedAt && m_pressed.hotspot.index < 0 && (event->buttons() & Qt::LeftButton) != 0;
    if (!selecting)
        return setHit(hitAt(event->pos()), event->globalPosition().toPoint());
    const int distance = (event->pos() - *m_pressedAt).manhattanLength();
    if (!m_dragging && distance < QGuiApplication::styleHints()->startDragDistance())
        return;
    m_dragging = true;
    if (!m_dragTimer.isActive())
        m_dragTimer.start(dragScrollInterval, this);
    dragTo(event->pos());
}

void ChatView::dragTo(QPoint point)
{
    if (!m_dragging || !m_selectionAnchor)
        return m_dragTimer.stop();
    const int beyond = point.y() < 0 ? point.y() : std::max(point.y() - viewport()->height(), 0);
    if (beyond != 0)
        verticalScrollBar()->setValue(verticalScrollBar()->value() + std::clamp(beyond, -60, 60));
    point.setY(std::clamp(point.y(), 0, viewport()->height() - 1));
    m_selectionEnd = placeAt(toContent(point));
    viewport()->update();
}

void ChatView::mouseReleaseEvent(QMouseEvent *event)
{
    if (event->button() != Qt::LeftButton)
        return;
    m_dragTimer.stop();
    const bool wasClick = m_pressedAt && !m_dragging;
    if (m_dragging)
        selectDraggedTokens();
    m_pressedAt.reset();
    m_dragging = false;
    const Hit hit = hitAt(event->pos());
    if (wasClick && hit == m_pressed)
        click(hit);
    setHit(hit, event->globalPosition().toPoint());
}

void ChatView::click(const Hit &hit)
{
    if (hit.hotspot.index >= 0) {
        const auto &hotspots = m_transcript.item(hit.hotspot.row).layout->hotspots();
        trigger(hit.hotspot.row, Hotspot(hotspots[static_cast<std::size_t>(hit.hotspot.index)]));
        return;
    }
    if (hit.token)
        m_selection->setToken(hit.token);
    if (!hit.link.isEmpty())
        emit linkActivated(QUrl(hit.link));
}

void ChatView::trigger(int row, const Hotspot &hotspot)
{
    const ChatMessage &message = m_model->message(row);
    const MessageId id = message.id;
    switch (hotspot.action) {
    case Action::ToggleReasoning:
        setOpenByHand(row, !isReasoningOpen(id));
        break;
    case Action::CopyCode:
        copyCode(row, hotspot.argument);
        break;
    case Action::Copy:
        QGuiApplication::clipboard()->setText(messagetext::source(message));
        emit copyRequested(id);
        break;
    case Action::Regenerate:
        emit regenerateRequested(id);
        break;
    case Action::Edit:
        emit editRequested(id);
        break;
    case Action::ToggleRaw:
        setRaw(id, !isRaw(id));
        break;
    case Action::PreviousSibling:
        emit siblingRequested(id, -1);
        break;
    case Action::NextSibling:
        emit siblingRequested(id, 1);
        break;
    case Action::ShowSibling:
        emit siblingRequested(id, hotspot.argument - m_transcript.item(row).view.sibling);
        break;
    }
}

void ChatView::copyCode(int row, int argument)
{
    const Section section = argument % 2 != 0 ? Section::Reasoning : Section::Answer;
    const auto &blocks = m_transcript.item(row).layout->section(section).blocks();
    QGuiApplication::clipboard()->setText(blocks[static_cast<std::size_t>(argument / 2)].text);
}

void ChatView::keyPressEvent(QKeyEvent *event)
{
    if (event->matches(QKeySequence::Copy))
        copy();
    else if (event->matches(QKeySequence::SelectAll))
        selectAll();
    else if (!handleNavigation(event))
        QAbstractScrollArea::keyPressEvent(event);
}

bool ChatView::handleNavigation(QKeyEvent *event)
{
    const Qt::KeyboardModifiers modifiers = event->modifiers() & ~Qt::KeypadModifier;
    if (modifiers == Qt::ShiftModifier && (event->key() == Qt::Key_Left || event->key() == Qt::Key_Right)) {
        extendTokens(event->key() == Qt::Key_Left ? -1 : 1);
        return true;
    }
    if (modifiers != 0)
        return false;
    switch (event->key()) {
    case Qt::Key_Left:
        walkTokens(-1);
        return true;
    case Qt::Key_Right:
        walkTokens(1);
        return true;
    case Qt::Key_Up:
        walkLines(-1);
        return true;
    case Qt::Key_Down:
        walkLines(1);
        return true;
    case Qt::Key_Home:
        verticalScrollBar()->setValue(0);
        return true;
    case Qt::Key_End:
        scrollToEnd();
        return true;
    case Qt::Key_Return:
    case Qt::Key_Enter:
    case Qt::Key_Space:
        pressEnter();
        return true;
    case Qt::Key_Escape:
        if (!m_selection->token() && !m_selectionAnchor)
            return false;
        m_selectionAnchor.reset();
        m_selection->setToken(std::nullopt);
        viewport()->update();
        return true;
    default:
        return false;
    }
}

void ChatView::pressEnter()
{
    if (m_focused.index >= 0 && m_focused.row < m_transcript.count()) {
        const auto &hotspots = m_transcript.prepare(m_focused.row).hotspots();
        if (m_focused.index < static_cast<int>(hotspots.size()))
            trigger(m_focused.row, Hotspot(hotspots[static_cast<std::size_t>(m_focused.index)]));
        return;
    }
    int row = m_model->rowCount() - 1;
    if (const auto &token = m_selection->token(); token && m_model->rowOf(token->message) >= 0) {
        row = m_model->rowOf(token->message);
        const MessageLayout &layout = m_transcript.prepare(row);
        const auto range = tokenmap::rangeOf(m_model->message(row), layout, token->token);
        const QString link =
            range && range->from < range->to ? linkAt({row, range->section, range->from}) : QString();
        if (!link.isEmpty()) {
            emit linkActivated(QUrl(link));
            return;
        }
    }
    while (row >= 0 && m_model->message(row).reasoning.tokens.empty())
        --row;
    if (row >= 0)
        setOpenByHand(row, !isReasoningOpen(m_model->message(row).id));
}

bool ChatView::focusNextPrevChild(bool next)
{
    return moveFocusedAction(next) || QAbstractScrollArea::focusNextPrevChild(next);
}

bool ChatView::moveFocusedAction(bool next)
{
    const int step = next ? 1 : -1;
    HotspotRef at = m_focused;
    if (at.index < 0)
        at = {next ? 0 : m_transcript.count() - 1, next ? -1 : INT_MAX};
    for (; at.row >= 0 && at.row < m_transcript.count(); at = {at.row + step, next ? -1 : INT_MAX}) {
        const std::vector<Hotspot> hotspots = m_transcript.prepare(at.row).hotspots();
        int index =
            std::clamp(at.index + (at.index == INT_MAX ? 0 : step), -1, static_cast<int>(hotspots.size()));
        if (at.index == INT_MAX)
            index = static_cast<int>(hotspots.size()) - 1;
        while (index >= 0 && index < static_cast<int>(hotspots.size())
               && !hotspots[static_cast<std::size_t>(index)].enabled)
            index += step;
        if (index < 0 || index >= static_cast<int>(hotspots.size()))
            continue;
        m_focused = {at.row, index};
        const QRectF rect = hotspots[static_cast<std::size_t>(index)].rect;
        scrollTo(rect.translated(0, m_transcript.item(at.row).top));
        viewport()->update();
        return true;
    }
    m_focused = {};
    viewport()->update();
    return false;
}

void ChatView::focusInEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusInEvent(event);
    if (event->reason() == Qt::TabFocusReason || event->reason() == Qt::BacktabFocusReason)
        m_focused = {};
    viewport()->update();
}

void ChatView::focusOutEvent(QFocusEvent *event)
{
    QAbstractScrollArea::focusOutEvent(event);
    viewport()->update();
}

bool ChatView::event(QEvent *event)
{
    if (event->type() == QEvent::ShortcutOverride) {
        // Escape and the arrows belong to this view while there is something to leave or to walk.
        auto *key = static_cast<QKeyEvent *>(event);
        if (key->key() == Qt::Key_Escape && m_selection->token())
            event->accept();
    }
    return QAbstractScrollArea::event(event);
}

bool ChatView::viewportEvent(QEvent *event)
{
    if (event->type() == QEvent::Leave)
        setHit({}, {});
    return QAbstractScrollArea::viewportEvent(event);
}

} // namespace bathyscope::ui
