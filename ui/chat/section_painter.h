// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/chat/message_painter.h"

#include <QPainter>

namespace bathyscope::ui {

/// Paints the text of one section at the painter's origin.
class SectionPainter {
public:
    SectionPainter(QPainter &painter, const SectionLayout &layout, Section which, const MessageMarks &marks);

    /// In raw text every second token gets a ground of its own, so that one sees where they end.
    void setTokens(const SectionText *tokens) { m_tokens = tokens; }
    /// The tokens of this reply get a ground by MessageMarks::colorBy.
    void setHeat(const ChatMessage *message) { m_heat = message; }
    /// Paints the text in this colour instead of its own.
    void setColor(const QColor &color) { m_color = color; }
    void paint(qreal top, qreal bottom);

private:
    void paintGround(const SectionLayout::Piece &piece);
    void paintContainers(const SectionLayout::Piece &piece);
    void paintTable(const SectionLayout::Piece &piece);
    void paintTokenGrounds(const SectionLayout::Piece &piece);
    void paintHeat(const SectionLayout::Piece &piece);
    /// Calls `visit` with the index into `text` and the rectangles of every token that has a part here.
    template <typename Visit>
    void visitTokens(const SectionLayout::Piece &piece, const SectionText &text, const Visit &visit) const;
    void paintInlineCode(const SectionLayout::Piece &piece);
    void paintText(const SectionLayout::Piece &piece, qreal top, qreal bottom);
    void paintSelectedText();
    void paintSelectedTokens();
    void paintToken(const TextRange &range, bool selected);

    QPainter &m_painter;
    const SectionLayout &m_layout;
    Section m_which;
    const MessageMarks &m_marks;
    const SectionText *m_tokens = nullptr;
    const ChatMessage *m_heat = nullptr;
    QColor m_color;
    TextPosition m_first; ///< of what is painted
    TextPosition m_last;
};

/// A line of one device pixel, wherever it falls.
void paintHairline(QPainter &painter, QPointF from, QPointF to, const QColor &color);

} // namespace bathyscope::ui
