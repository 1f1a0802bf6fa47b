// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/chat/message_layout.h"
#include "ui/model/chat_model.h"

#include <QMargins>

#include <compare>
#include <memory>
#include <vector>

namespace bathyscope::ui {

/// A place in the rendered text of the whole conversation.
struct TranscriptPosition {
    int row = 0;
    Section section = Section::Answer;
    TextPosition text;

    auto operator<=>(const TranscriptPosition &) const = default;
};

/// All messages one below the other. Only those seen are laid out; the others have estimated heights, and
/// when an estimate is corrected what the reader looks at stays where it is. Logical pixels from the top of
/// the conversation; x counts from the text column's left edge.
class Transcript {
public:
    struct Item {
        MessageId id = 0;
        MessageView view;
        std::unique_ptr<MessageLayout> layout; ///< none until it is seen
        qreal top = 0;
        qreal height = 0;
        bool dirty = true; ///< the message changed since it was laid out
    };

    explicit Transcript(const ChatModel *model)
        : m_model(model)
    {
    }

    void reset(); ///< takes the model's messages anew
    void insert(int first, int last);
    void remove(int first, int last);
    void markDirty(int row);
    void setWidth(qreal width);
    void invalidate(); ///< fonts or colours changed

    /// Lays out what is seen between `scroll` and `scroll + height`; returns the scroll position at which
    /// the reader sees what was seen before, or the end when `follow` is set.
    qreal layOutVisible(qreal scroll, qreal height, bool follow);
    /// Lays out a message's frame, so that its sections know their text.
    MessageLayout &prepare(int row);

    [[nodiscard]] int count() const { return static_cast<int>(m_items.size()); }
    [[nodiscard]] Item &item(int row) { return m_items[static_cast<std::size_t>(row)]; }
    [[nodiscard]] const Item &item(int row) const { return m_items[static_cast<std::size_t>(row)]; }
    [[nodiscard]] qreal width() const { return m_width; }
    [[nodiscard]] qreal height() const;
    /// Row at a height, the nearest one where there is none; -1 when there are no messages.
    [[nodiscard]] int rowAt(qreal y) const;

    static constexpr qreal topMargin = 24; ///< px
    static constexpr qreal bottomMargin = 8; ///< px

private:
    struct Anchor {
        int row = -1;
        Section section = Section::Marker; ///< Marker: the message itself
        std::size_t piece = 0;
        qreal offset = 0; ///< from the viewport's top
        qreal share = 0; ///< of the message's height, when nothing of it is laid out
    };

    [[nodiscard]] Anchor anchorAt(qreal scroll, qreal height) const;
    [[nodiscard]] qreal scrollFor(const Anchor &anchor, qreal scroll) const;
    bool layOutPass(qreal top, qreal bottom);
    void restack(int from);

    const ChatModel *m_model;
    std::vector<Item> m_items;
    qreal m_width = 0;
};

} // namespace bathyscope::ui
