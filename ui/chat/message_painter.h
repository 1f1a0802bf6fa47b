// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/chat/message_layout.h"
#include "ui/model/token_heat.h"

#include <QPainter>

#include <array>

namespace bathyscope::ui {

/// A stretch of rendered text of one section; equal ends are a place without extent.
struct TextRange {
    Section section = Section::Answer;
    TextPosition from;
    TextPosition to;
};

/// What a message shows beside its content.
struct MessageMarks {
    std::optional<TextRange> token; ///< the selected one
    std::vector<TextRange> tokens; ///< all of a selected range, by section
    std::optional<TextRange> hovered;
    std::vector<TextRange> selected; ///< text to be copied
    int hoveredHotspot = -1; ///< index into MessageLayout::hotspots
    int focusedHotspot = -1;
    ColorBy colorBy = ColorBy::Nothing; ///< of the text
    bool active = false; ///< the mouse or the keys are here: an own message shows its actions
};

/// Paints one message at the painter's origin, as far as it lies between two heights.
class MessagePainter {
public:
    MessagePainter(QPainter &painter, const MessageLayout &layout, const ChatMessage &message,
                   const MessageView &view, const MessageMarks &marks);

    void paint(qreal top, qreal bottom);

private:
    void paintReasoning(qreal top, qreal bottom);
    void paintFooter();
    void paintHotspots(qreal top, qreal bottom);
    void paintHotspot(const Hotspot &hotspot, int index);
    void paintTree();
    void paintSection(Section which, qreal top, qreal bottom);
    void paintNote();

    QPainter &m_painter;
    const MessageLayout &m_layout;
    const ChatMessage &m_message;
    const MessageView &m_view;
    const MessageMarks &m_marks;
};

} // namespace bathyscope::ui
