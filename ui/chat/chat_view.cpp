// SPDX-License-Identifier: GPL-3.0-or-later
//
// ChatView: messages come and go, layout and scrolling.
#include "ui/chat/chat_view.h"

#include "ui/chat/chat_accessible.h"
#include "ui/chat/color_legend.h"
#include "ui/chat/empty_state.h"
#include "ui/chat/token_map.h"
#include "ui/theme/theme.h"

#include <QEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QPushButton>
#include <QScrollBar>
#include <QTimerEvent>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int sideMargin = 24; ///< px beside the column, at least
constexpr double openingTime = 120; ///< ms, of a section
constexpr int frame = 8; ///< ms between two steps of it
constexpr qreal nearEnd = 4; ///< px from the end that still count as the end

} // namespace

ChatView::ChatView(ChatModel *model, Selection *selection, QWidget *parent)
    : QAbstractScrollArea(parent)
    , m_model(model)
    , m_selection(selection)
    , m_transcript(model)
    , m_empty(new EmptyState(viewport()))
    , m_toEnd(new QPushButton(QStringLiteral("↓ to the end"), viewport()))
    , m_legend(new ColorLegend(viewport()))
{
    installChatAccessibility();
    setObjectName(QStringLiteral("chatView"));
    setAccessibleName(QStringLiteral("Conversation"));
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::StrongFocus);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    viewport()->setMouseTracking(true);
    verticalScrollBar()->setSingleStep(theme::messageLineHeight * 2);
    m_toEnd->setObjectName(QStringLiteral("toEnd"));
    m_toEnd->setCursor(Qt::PointingHandCursor);
    m_toEnd->hide();
    setEmptyText(
        QStringLiteral("Ask something: you will see the answer, and how every token of it was chosen."));
    m_legend->hide();
    connect(m_legend, &QAbstractButton::clicked, this, &ChatView::nextColorBy);
    connect(m_toEnd, &QPushButton::clicked, this, &ChatView::scrollToEnd);
    connect(m_empty, &EmptyState::picked, this, &ChatView::examplePicked);
    connect(m_selection, &Selection::changed, this, &ChatView::showSelectedToken);
    connect(m_selection, &Selection::hoverChanged, viewport(), qOverload<>(&QWidget::update));
    connectModel();
    reset();
}

ChatView::~ChatView() = default;

void ChatView::connectModel()
{
    connect(m_model, &QAbstractItemModel::modelReset, this, &ChatView::reset);
    connect(m_model, &QAbstractItemModel::rowsInserted, this,
            [this](const QModelIndex &, int first, int last) {
                m_transcript.insert(first, last);
                m_following = true;
                scheduleLayout();
            });
    connect(m_model, &QAbstractItemModel::rowsRemoved, this,
            [this](const QModelIndex &, int first, int last) {
                m_transcript.remove(first, last);
                m_selectionAnchor.reset();
                m_hit = {};
                m_pressed = {};
                m_focused = {};
                scheduleLayout();
            });
    connect(m_model, &QAbstractItemModel::dataChanged, this,
            [this](const QModelIndex &first, const QModelIndex &last) {
                for (int row = first.row(); row <= last.row(); ++row)
                    m_transcript.markDirty(row);
                scheduleLayout();
            });
}

void ChatView::reset()
{
    m_transcript.reset();
    m_selectionAnchor.reset();
    m_hit = {};
    m_pressed = {};
    m_focused = {};
    m_following = true;
    scheduleLayout();
}

void ChatView::setSiblings(MessageId id, int index, int count)
{
    const int row = m_model->rowOf(id);
    if (row < 0)
        return;
    m_transcript.item(row).view.sibling = index;
    m_transcript.item(row).view.siblings = count;
    m_transcript.markDirty(row);
    scheduleLayout();
}

void ChatView::setVersions(const ReplyVersions &versions)
{
    for (const ChatMessage &version : *versions) {
        const int row = m_model->rowOf(version.id);
        if (row < 0)
            continue;
        m_transcript.item(row).view.branches = forkTree(*versions);
        m_transcript.markDirty(row);
        scheduleLayout();
    }
}

void ChatView::setExamples(const QStringList &prompts)
{
    m_empty->setExamples(prompts);
}

void ChatView::setEmptyText(const QString &sentence)
{
    m_empty->setText(sentence);
}

void ChatView::setColorBy(ColorBy by)
{
    m_colorBy = by;
    m_legend->setScale(by);
    updateOverlays();
    viewport()->update();
}

void ChatView::nextColorBy()
{
    setColorBy(m_colorBy == ColorBy::Rank ? ColorBy::Probability
                                          : static_cast<ColorBy>(static_cast<int>(m_colorBy) + 1));
}

bool ChatView::isReasoningOpen(MessageId id) const
{
    const int row = m_model->rowOf(id);
    return row >= 0 && m_transcript.item(row).view.wantsOpen(m_model->message(row));
}

void ChatView::setReasoningOpen(MessageId id, bool open)
{
    if (const int row = m_model->rowOf(id); row >= 0)
        setOpenByHand(row, open);
}

void ChatView::setOpenByHand(int row, bool open)
{
    m_transcript.item(row).view.openedByHand = open;
    m_transcript.markDirty(row);
    // The header that was clicked stays where it is.
    m_following = false;
    scheduleLayout();
}

bool ChatView::isRaw(MessageId id) const
{
    const int row = m_model->rowOf(id);
    return row >= 0 && m_transcript.item(row).view.raw;
}

void ChatView::setRaw(MessageId id, bool raw)
{
    const int row = m_model->rowOf(id);
    if (row < 0)
        return;
    m_transcript.item(row).view.raw = raw;
    m_transcript.markDirty(row);
    m_selectionAnchor.reset();
    scheduleLayout();
}

void ChatView::scheduleLayout()
{
    if (!m_layoutTimer.isActive())
        m_layoutTimer.start(0, this);
}

void ChatView::layOut()
{
    m_layoutTimer.stop();
    // Of the whole view: when the scroll bar comes, nothing moves.
    const qreal width = std::min(this->width() - 2 * sideMargin, theme::chatWidth);
    m_transcript.setWidth(std::max(width, 120.0));
    advanceAnimations();
    setScroll(m_transcript.layOutVisible(m_scroll, viewport()->height(), m_following));
    if (!m_animationTimer.isActive() && m_scroll >= verticalScrollBar()->maximum() - nearEnd)
        m_following = true;
    updateOverlays();
    viewport()->update();
}

void ChatView::setScroll(qreal scroll)
{
    m_settingScroll = true;
    m_scroll = std::round(scroll);
    const int height = viewport()->height();
    verticalScrollBar()->setPageStep(height);
    verticalScrollBar()->setRange(0,
                                  std::max(static_cast<int>(std::ceil(m_transcript.height())) - height, 0));
    verticalScrollBar()->setValue(static_cast<int>(m_scroll));
    m_settingScroll = false;
}

void ChatView::updateOverlays()
{
    const bool empty = m_transcript.count() == 0;
    m_empty->setVisible(empty);
    if (empty) {
        const int width = std::min(viewport()->width() - 2 * sideMargin, theme::chatWidth);
        m_empty->setGeometry((viewport()->width() - width) / 2, 0, width, viewport()->height());
    }
    m_legend->move(viewport()->width() - m_legend->width() - 12,
                   viewport()->height() - m_legend->height() - 12);
    const bool away =
        !m_following && verticalScrollBar()->maximum() - verticalScrollBar()->value() > 2 * nearEnd;
    m_toEnd->setVisible(away);
    if (away) {
        m_toEnd->adjustSize();
        m_toEnd->move((viewport()->width() - m_toEnd->width()) / 2,
                      viewport()->height() - m_toEnd->height() - 12);
    }
}

void ChatView::advanceAnimations()
{
    const double step =
        m_animationTimer.isActive() ? static_cast<double>(m_animationClock.restart()) / openingTime : 0;
    bool moving = false;
    for (int row = 0; row < m_transcript.count(); ++row) {
        Transcript::Item &item = m_transcript.item(row);
        if (!item.layout || item.view.openness < 0)
            continue;
        const double target = item.view.wantsOpen(m_model->message(row)) ? 1 : 0;
        if (item.view.openness == target)
            continue;
        const double way = target - item.view.openness;
        item.view.openness = std::abs(way) <= step ? target : item.view.openness + std::copysign(step, way);
        item.dirty = true;
        moving = true;
    }
    if (moving && !m_animationTimer.isActive()) {
        m_animationClock.start();
        m_animationTimer.start(frame, Qt::PreciseTimer, this);
    } else if (!moving) {
        m_animationTimer.stop();
    }
}

qreal ChatView::left() const
{
    return std::floor((width() - m_transcript.width()) / 2);
}

void ChatView::scrollToEnd()
{
    m_following = true;
    layOut();
}

void ChatView::scrollContentsBy(int /*dx*/, int /*dy*/)
{
    if (m_settingScroll)
        return;
    m_scroll = verticalScrollBar()->value();
    m_following = m_scroll >= verticalScrollBar()->maximum() - nearEnd;
    layOut();
}

void ChatView::resizeEvent(QResizeEvent *event)
{
    QAbstractScrollArea::resizeEvent(event);
    layOut();
}

void ChatView::changeEvent(QEvent *event)
{
    const bool look = event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange
        || event->type() == QEvent::StyleChange;
    if (look) {
        m_transcript.invalidate();
        scheduleLayout();
    }
    QAbstractScrollArea::changeEvent(event);
}

void ChatView::timerEvent(QTimerEvent *event)
{
    if (event->timerId() == m_layoutTimer.timerId() || event->timerId() == m_animationTimer.timerId())
        layOut();
    else if (event->timerId() == m_dragTimer.timerId())
        dragTo(viewport()->mapFromGlobal(QCursor::pos()));
    else
        QAbstractScrollArea::timerEvent(event);
}

MessageMarks ChatView::marksFor(int row) const
{
    MessageMarks marks;
    marks.colorBy = m_colorBy;
    const ChatMessage &message = m_model->message(row);
    const MessageLayout &layout = *m_transcript.item(row).layout;
    const auto &token = m_selection->token();
    if (token && token->message == message.id)
        marks.token = tokenmap::rangeOf(message, layout, token->token);
    const auto range = m_selection->range();
    if (range && range->message == message.id && range->count() > 1)
        marks.tokens = tokenmap::rangesOf(message, layout, *range);
    const auto &hovered = m_selection->hoveredToken();
    if (hovered && hovered->message == message.id && hovered != token)
        marks.hovered = tokenmap::rangeOf(message, layout, hovered->token);
    if (m_hit.hotspot.row == row)
        marks.hoveredHotspot = m_hit.hotspot.index;
    if (m_focused.row == row && hasFocus())
        marks.focusedHotspot = m_focused.index;
    marks.active = m_hit.row == row || marks.focusedHotspot >= 0;
    const auto [from, to] = selectedRange();
    for (const Section section : {Section::Reasoning, Section::Answer}) {
        const TranscriptPosition begin{row, section, {}};
        const TranscriptPosition end{row, section, layout.section(section).end()};
        if (from < end && begin < to)
            marks.selected.push_back({section, std::max(from, begin).text, std::min(to, end).text});
    }
    return marks;
}

void ChatView::paintEvent(QPaintEvent *event)
{
    QPainter painter(viewport());
    painter.fillRect(event->rect(), theme::colors().ground);
    const qreal top = event->rect().top() + m_scroll;
    const qreal bottom = event->rect().bottom() + 1 + m_scroll;
    for (int row = m_transcript.rowAt(top); row >= 0 && row < m_transcript.count(); ++row) {
        const Transcript::Item &item = m_transcript.item(row);
        if (item.top >= bottom)
            break;
        if (!item.layout)
            continue;
        painter.save();
        painter.translate(left(), item.top - m_scroll);
        const MessageMarks marks = marksFor(row);
        MessagePainter(painter, *item.layout, m_model->message(row), item.view, marks)
            .paint(top - item.top, bottom - item.top);
        painter.restore();
    }
}

} // namespace bathyscope::ui
