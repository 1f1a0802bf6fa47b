// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/message_layout.h"

#include "ui/charts/fork_tree_picture.h"
#include "ui/chat/message_text.h"
#include "ui/chat/text_format.h"
#include "ui/theme/theme.h"

#include <QFontMetricsF>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr qreal bubblePaddingX = 14;
constexpr qreal bubblePaddingY = 8;
constexpr qreal bubbleShare = 0.78; ///< of the column, the widest an own message gets
constexpr qreal boxIndent = 16; ///< px from the reasoning's left edge to its text
constexpr qreal footerHeight = 32;
constexpr qreal treeWidth = 72; ///< px, of the tree of versions
constexpr qreal treeHeight = 24;
constexpr qreal ownGap = 16; ///< px below an own message
constexpr qreal replyGap = 28; ///< px below a reply
constexpr std::size_t shortText = 2000; ///< bytes up to which a bubble is made as narrow as its text

std::string_view shown(const std::string &utf8, bool running)
{
    const std::string_view all = utf8;
    return running ? all.substr(0, markdown::completeLength(all)) : all;
}

SectionStyle textStyle()
{
    return {theme::messageFont(), theme::messageLineHeight, 12, false};
}

SectionStyle reasoningStyle()
{
    return {theme::textFont(), theme::textLineHeight, 8, true};
}

} // namespace

void MessageLayout::update(const ChatMessage &message, const MessageView &view, qreal width)
{
    using Mode = SectionLayout::Mode;
    m_own = message.role != Role::Assistant;
    m_width = width;
    m_message = &message;
    m_view = view;
    m_text.setStyle(textStyle());
    if (m_own) {
        m_text.setWidth(std::floor(width * bubbleShare) - 2 * bubblePaddingX);
        m_text.setSource(message.text, view.raw ? Mode::Raw : Mode::Plain);
    } else {
        const Mode mode = view.raw ? Mode::Raw : Mode::Markdown;
        m_text.setWidth(width);
        m_text.setSource(shown(message.answer.utf8, message.isRunning()), mode);
        m_reasoning.setStyle(reasoningStyle());
        m_reasoning.setWidth(width - 2 * boxIndent);
        const bool running = message.isRunning() && message.answer.tokens.empty();
        m_reasoning.setSource(shown(message.reasoning.utf8, running), mode);
        m_note.setStyle({theme::textFont(), theme::textLineHeight, 8, true});
        m_note.setWidth(width);
        m_note.setSource(messagetext::note(message).toStdString(), Mode::Plain);
    }
    describe(message);
    place(message, view);
}

void MessageLayout::invalidate()
{
    m_reasoning.invalidate();
    m_text.invalidate();
    m_note.invalidate();
}

qreal MessageLayout::estimate(const ChatMessage &message, qreal width)
{
    const bool own = message.role != Role::Assistant;
    const std::string &text = own ? message.text : message.answer.utf8;
    const auto lines = static_cast<qreal>(std::count(text.begin(), text.end(), '\n'));
    const qreal wrapped = std::ceil(static_cast<qreal>(text.size()) * 7.5 / std::max(width, 100.0));
    const qreal height = (1 + std::max(wrapped, lines)) * theme::messageLineHeight;
    if (own)
        return height + 2 * bubblePaddingY + ownGap;
    const qreal reasoning = message.reasoning.tokens.empty() ? 0 : headerHeight + 12;
    return height + reasoning + footerHeight + replyGap;
}

bool MessageLayout::layOut(qreal top, qreal bottom)
{
    const auto part = [&](SectionLayout &section, QPointF origin) {
        const bool corrected = section.layOut(top - origin.y(), bottom - origin.y());
        section.releaseOutside(top - origin.y(), bottom - origin.y());
        return corrected;
    };
    bool changed = part(m_text, m_textOrigin);
    if (!m_reasoningBox.isEmpty() && m_view.openness > 0)
        changed = part(m_reasoning, m_reasoningOrigin) || changed;
    changed = part(m_note, m_noteOrigin) || changed;
    if (changed && m_message != nullptr)
        place(*m_message, m_view);
    return changed;
}

Section MessageLayout::sectionAt(qreal y) const
{
    const bool reasoning = !m_reasoningBox.isEmpty() && m_view.openness > 0 && y < m_reasoningBox.bottom();
    return reasoning ? Section::Reasoning : Section::Answer;
}

void MessageLayout::describe(const ChatMessage &message)
{
    m_reasoningCaption = messagetext::reasoningCaption(message);
    m_status = m_own ? QString() : messagetext::status(message);
    m_progress = m_own ? QString() : messagetext::progress(message);
    m_progressShare = 0;
    if (message.prefill && message.prefill->total > 0)
        m_progressShare = static_cast<double>(message.prefill->done) / message.prefill->total;
}

void MessageLayout::place(const ChatMessage &message, const MessageView &view)
{
    if (m_own)
        placeOwn();
    else
        placeReply(view);
    placeHotspots(message, view);
}

void MessageLayout::placeOwn()
{
    const qreal natural = m_message->text.size() < shortText ? m_text.naturalWidth() : m_text.width();
    const qreal width = std::min(natural, m_text.width()) + 2 * bubblePaddingX;
    m_bubble = QRectF(m_width - width, 0, width, m_text.height() + 2 * bubblePaddingY);
    m_textOrigin = m_bubble.topLeft() + QPointF(bubblePaddingX, bubblePaddingY);
    m_footer = QRectF(0, m_bubble.bottom() - footerHeight, m_bubble.left() - 8, footerHeight);
    m_height = m_bubble.bottom() + ownGap;
}

void MessageLayout::placeReply(const MessageView &view)
{
    qreal y = 0;
    m_reasoningBox = {};
    if (!m_reasoning.isEmpty()) {
        const qreal content = (m_reasoning.height() + 12) * std::clamp(view.openness, 0.0, 1.0);
        m_reasoningBox = QRectF(0, 0, m_width, headerHeight + std::round(content));
        m_reasoningOrigin = QPointF(boxIndent, headerHeight);
        y = m_reasoningBox.bottom() + 12;
    }
    m_textOrigin = QPointF(0, y);
    y += m_text.height();
    m_noteOrigin = QPointF(0, y + (m_text.isEmpty() || m_note.isEmpty() ? 0 : 8));
    if (!m_note.isEmpty())
        y = m_noteOrigin.y() + m_note.height();
    m_footer = QRectF(0, y + (m_text.isEmpty() ? 0 : 4), m_width, footerHeight);
    m_height = m_footer.bottom() + replyGap;
}

std::vector<Hotspot> MessageLayout::footerActions(const ChatMessage &message, const MessageView &view) const
{
    std::vector<Hotspot> actions;
    if (message.isRunning())
        return actions;
    const auto add = [&](Action action, const QString &label, bool enabled = true) {
        actions.push_back({action, 0, label, {}, enabled});
    };
    add(Action::Copy, QStringLiteral("Copy"));
    if (m_own) {
        add(Action::Edit, QStringLiteral("Edit"));
    } else {
        add(Action::Regenerate, QStringLiteral("Regenerate"));
        add(Action::ToggleRaw, view.raw ? QStringLiteral("Rendered") : QStringLiteral("Raw"));
    }
    if (view.siblings > 1) {
        add(Action::PreviousSibling, QStringLiteral("‹"), view.sibling > 0);
        add(Action::NextSibling, QStringLiteral("›"), view.sibling + 1 < view.siblings);
    }
    return actions;
}

void MessageLayout::placeHotspots(const ChatMessage &message, const MessageView &view)
{
    m_hotspots.clear();
    if (!m_reasoningBox.isEmpty()) {
        const QRectF header(0, 0, m_width, headerHeight);
        const QString label =
            view.wantsOpen(message) ? QStringLiteral("Close reasoning") : QStringLiteral("Open reasoning");
        m_hotspots.push_back({Action::ToggleReasoning, 0, label, header, true});
        if (view.openness > 0)
            addCodeHotspots(Section::Reasoning);
    }
    addCodeHotspots(Section::Answer);
    const QFontMetricsF metrics(theme::smallFont());
    std::vector<Hotspot> actions = footerActions(message, view);
    const QString count = QStringLiteral("%1 of %2").arg(view.sibling + 1).arg(view.siblings);
    qreal x = 0;
    for (Hotspot &action : actions) {
        const bool arrow = action.action == Action::PreviousSibling || action.action == Action::NextSibling;
        const qreal width = std::ceil(metrics.horizontalAdvance(action.label)) + (arrow ? 12 : 0);
        if (action.action == Action::NextSibling)
            x += std::ceil(metrics.horizontalAdvance(count)) - 14;
        action.rect = QRectF(x - (arrow ? 6 : 4), m_footer.top(), width + (arrow ? 0 : 8), m_footer.height());
        x += width + 16;
    }
    const qreal shift = m_own ? m_footer.right() - x + 8 : 0;
    for (Hotspot &action : actions) {
        action.rect.translate(shift, 0);
        m_hotspots.push_back(std::move(action));
    }
    m_tree = {};
    if (!actions.empty() && view.branches.size() > 1)
        addTreeHotspots(view, x);
}

/// A small map of the versions behind the actions.
void MessageLayout::addTreeHotspots(const MessageView &view, qreal left)
{
    m_tree = QRectF(left, m_footer.center().y() - treeHeight / 2, treeWidth, treeHeight);
    const ForkTreePicture picture(view.branches, view.sibling, m_tree, leastLane);
    for (int branch = picture.first(); branch < picture.end(); ++branch)
        m_hotspots.push_back({Action::ShowSibling, branch, branchText(view.branches, branch),
                              picture.laneOf(branch).adjusted(-4, 0, 4, 0), branch != view.sibling});
}

void MessageLayout::addCodeHotspots(Section which)
{
    const SectionLayout &layout = section(which);
    const QPointF origin = originOf(which);
    for (const SectionLayout::Piece &piece : layout.pieces()) {
        const markdown::Block &block = layout.blocks()[static_cast<std::size_t>(piece.block)];
        if (!piece.firstOfBlock || block.kind != markdown::Block::Kind::CodeBlock)
            continue;
        const QRectF ground = layout.pieceRect(piece).translated(origin);
        const qreal width = 44;
        const QRectF rect(ground.right() - width - 4, ground.top(), width, textformat::codeHeader);
        const int argument = piece.block * 2 + (which == Section::Reasoning ? 1 : 0);
        m_hotspots.push_back({Action::CopyCode, argument, QStringLiteral("Copy"), rect, true});
    }
}

} // namespace bathyscope::ui
