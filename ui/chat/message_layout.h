// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/chat/section_layout.h"
#include "ui/model/chat_message.h"
#include "ui/model/fork_tree.h"

#include <QRectF>
#include <QString>

#include <optional>
#include <vector>

namespace bathyscope::ui {

/// What can be done with a message by click or key.
enum class Action : std::uint8_t {
    ToggleReasoning,
    CopyCode, ///< argument: index of the block
    Copy,
    Regenerate,
    Edit,
    ToggleRaw,
    PreviousSibling,
    NextSibling,
    ShowSibling ///< a lane of the tree of versions; argument: index of the version
};

struct Hotspot {
    Action action = Action::Copy;
    int argument = 0;
    QString label;
    QRectF rect; ///< relative to the message; where it can be clicked
    bool enabled = true;
};

/// How the reader sees a message, beside its content.
struct MessageView {
    bool raw = false;
    std::optional<bool> openedByHand; ///< the reader's wish for the reasoning, over the program's
    double openness = -1; ///< 0: reasoning closed, 1: open; negative: not shown yet
    int sibling = 0; ///< of the versions of this message
    int siblings = 1;
    std::vector<ForkBranch> branches; ///< of all versions of a reply; empty: not known

    [[nodiscard]] bool wantsOpen(const ChatMessage &message) const
    {
        return openedByHand.value_or(message.answer.tokens.empty());
    }
};

/// Geometry of one message. Logical pixels, relative to the message's top left corner.
class MessageLayout {
public:
    /// Brings everything up to date with the message; cheap where nothing changed.
    void update(const ChatMessage &message, const MessageView &view, qreal width);
    /// Forgets fonts and colours.
    void invalidate();
    /// Lays out what lies between two heights; true when a height changed.
    bool layOut(qreal top, qreal bottom);

    /// The height a message will about have, before it is laid out.
    static qreal estimate(const ChatMessage &message, qreal width);

    [[nodiscard]] qreal height() const { return m_height; }
    [[nodiscard]] bool isOwn() const { return m_own; }
    [[nodiscard]] SectionLayout &section(Section which)
    {
        return which == Section::Reasoning ? m_reasoning : m_text;
    }
    [[nodiscard]] const SectionLayout &section(Section which) const
    {
        return which == Section::Reasoning ? m_reasoning : m_text;
    }
    [[nodiscard]] const SectionLayout &note() const { return m_note; }
    [[nodiscard]] QPointF originOf(Section which) const
    {
        return which == Section::Reasoning ? m_reasoningOrigin : m_textOrigin;
    }
    [[nodiscard]] QPointF noteOrigin() const { return m_noteOrigin; }
    [[nodiscard]] const QRectF &bubble() const { return m_bubble; }
    [[nodiscard]] const QRectF &reasoningBox() const { return m_reasoningBox; } ///< empty: no reasoning
    [[nodiscard]] const QRectF &footer() const { return m_footer; }
    [[nodiscard]] const QString &reasoningCaption() const { return m_reasoningCaption; }
    /// Where the tree of the versions is drawn; empty: there is none.
    [[nodiscard]] const QRectF &tree() const { return m_tree; }
    [[nodiscard]] const QString &status() const { return m_status; } ///< at the footer's right
    [[nodiscard]] const QString &progress() const
    {
        return m_progress;
    } ///< at the footer's left while waiting
    [[nodiscard]] double progressShare() const { return m_progressShare; }
    [[nodiscard]] const std::vector<Hotspot> &hotspots() const { return m_hotspots; }
    /// The section whose text is at or nearest to a height.
    [[nodiscard]] Section sectionAt(qreal y) const;

    static constexpr int headerHeight = 36; ///< px, of the reasoning's header
    static constexpr qreal leastLane = 4; ///< px, of a version in the tree
    static constexpr int rule = 3; ///< px, accent at the reasoning's left

private:
    void place(const ChatMessage &message, const MessageView &view);
    void placeOwn();
    void placeReply(const MessageView &view);
    void placeHotspots(const ChatMessage &message, const MessageView &view);
    void addCodeHotspots(Section which);
    void addTreeHotspots(const MessageView &view, qreal left);
    void describe(const ChatMessage &message);
    [[nodiscard]] std::vector<Hotspot> footerActions(const ChatMessage &message,
                                                     const MessageView &view) const;

    bool m_own = false;
    qreal m_width = 0;
    qreal m_height = 0;
    SectionLayout m_reasoning;
    SectionLayout m_text; ///< answer, or what the user wrote
    SectionLayout m_note; ///< why a reply ended early
    QPointF m_reasoningOrigin, m_textOrigin, m_noteOrigin;
    QRectF m_bubble, m_reasoningBox, m_footer, m_tree;
    QString m_reasoningCaption, m_status, m_progress;
    double m_progressShare = 0;
    std::vector<Hotspot> m_hotspots;
    const ChatMessage *m_message = nullptr;
    MessageView m_view;
};

} // namespace bathyscope::ui
