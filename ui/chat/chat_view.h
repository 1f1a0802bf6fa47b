// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/chat/message_painter.h"
#include "ui/chat/transcript.h"
#include "ui/model/chat_model.h"
#include "ui/model/reply_version.h"
#include "ui/model/selection.h"

#include <QAbstractScrollArea>
#include <QBasicTimer>
#include <QElapsedTimer>
#include <QStringList>
#include <QUrl>

class QPushButton;

namespace bathyscope::ui {

class ColorLegend;
class EmptyState;

/// The conversation: messages with their reasoning, every token of which can be selected.
///
/// Keys: left and right walk the tokens (with Shift they select a range), up and down the lines, Enter opens
/// a focused action or the selected token's link, else opens and closes the reasoning; Tab walks the actions;
/// Ctrl+C, Ctrl+A.
class ChatView : public QAbstractScrollArea {
    Q_OBJECT

public:
    ChatView(ChatModel *model, Selection *selection, QWidget *parent = nullptr);
    ~ChatView() override;

    /// This message is number `index` (from 0) of `count` versions.
    void setSiblings(MessageId id, int index, int count);
    /// All versions of a reply: a small tree of them stands below it.
    void setVersions(const ReplyVersions &versions);
    /// Prompts to begin with, shown while there are no messages.
    void setExamples(const QStringList &prompts);
    void setEmptyText(const QString &sentence);
    /// Colours the text of the replies; a legend tells by what.
    void setColorBy(ColorBy by);
    [[nodiscard]] ColorBy colorBy() const { return m_colorBy; }
    void nextColorBy(); ///< the next scale; after the last one the first

    [[nodiscard]] bool isReasoningOpen(MessageId id) const;
    void setReasoningOpen(MessageId id, bool open);
    [[nodiscard]] bool isRaw(MessageId id) const;
    void setRaw(MessageId id, bool raw); ///< text as the model wrote it, tokens visible

    [[nodiscard]] bool isFollowing() const { return m_following; }
    void scrollToEnd();
    void scrollToMessage(bathyscope::ui::MessageId id); ///< its first line at the top
    void scrollToToken(const TokenPosition &position);
    void selectAll();
    [[nodiscard]] QString selectedText() const;
    /// Copies the selected text; without one, the source of the selected token's message.
    void copy();

    /// Where things are now, in coordinates of the viewport; empty when not in sight or not there.
    [[nodiscard]] QRect tokenRect(const TokenPosition &position) const;
    [[nodiscard]] QRect actionRect(MessageId id, Action action, int argument = 0) const;
    [[nodiscard]] QRect messageRect(int row) const;
    [[nodiscard]] const ChatModel *model() const { return m_model; }

signals:
    void copyRequested(bathyscope::ui::MessageId id); ///< the source is already on the clipboard
    void regenerateRequested(bathyscope::ui::MessageId id);
    void editRequested(bathyscope::ui::MessageId id);
    void siblingRequested(bathyscope::ui::MessageId id, int delta);
    void linkActivated(const QUrl &address); ///< ask before opening it
    void linkHovered(const QString &address); ///< whole address; empty when the mouse leaves it
    void examplePicked(const QString &prompt);

protected:
    bool event(QEvent *event) override;
    bool viewportEvent(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void timerEvent(QTimerEvent *event) override;
    void scrollContentsBy(int dx, int dy) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;
    void focusInEvent(QFocusEvent *event) override;
    void focusOutEvent(QFocusEvent *event) override;
    bool focusNextPrevChild(bool next) override;

private:
    /// A hotspot of a message, by its index.
    struct HotspotRef {
        int row = -1;
        int index = -1;

        bool operator==(const HotspotRef &) const = default;
    };
    /// What lies under the mouse.
    struct Hit {
        int row = -1; ///< -1: beside all messages
        HotspotRef hotspot;
        std::optional<TokenPosition> token;
        QString link;
        bool overText = false;

        bool operator==(const Hit &) const = default;
    };

    // chat_view.cpp: messages come and go, layout and scrolling
    void connectModel();
    void reset();
    void scheduleLayout();
    void layOut();
    void setScroll(qreal scroll);
    void updateOverlays();
    [[nodiscard]] qreal left() const;
    void advanceAnimations();
    void setOpenByHand(int row, bool open);
    [[nodiscard]] MessageMarks marksFor(int row) const;

    // chat_view_input.cpp
    [[nodiscard]] QPointF toContent(QPoint point) const;
    [[nodiscard]] Hit hitAt(QPoint point) const;
    [[nodiscard]] std::optional<TranscriptPosition> characterAt(QPointF content) const;
    [[nodiscard]] TranscriptPosition placeAt(QPointF content) const;
    [[nodiscard]] QString linkAt(const TranscriptPosition &character) const;
    void setHit(const Hit &hit, QPoint globalPosition);
    void click(const Hit &hit);
    void trigger(int row, const Hotspot &hotspot);
    void copyCode(int row, int argument);
    bool handleNavigation(QKeyEvent *event);
    void pressEnter();
    bool moveFocusedAction(bool next);
    void dragTo(QPoint point);

    // chat_view_selection.cpp
    void showSelectedToken();
    void updateLines(const std::optional<TokenRange> &range); ///< paints the lines of these tokens anew
    void walkTokens(int step);
    void extendTokens(int step);
    void selectDraggedTokens();
    void walkLines(int step);
    [[nodiscard]] std::optional<TokenPosition> tokenNear(QPointF content) const;
    [[nodiscard]] std::vector<QRectF> contentRects(const TokenPosition &position) const; ///< line by line
    [[nodiscard]] std::optional<QRectF> contentRect(const TokenPosition &position) const;
    void scrollTo(const QRectF &content);
    [[nodiscard]] std::pair<TranscriptPosition, TranscriptPosition> selectedRange() const;
    [[nodiscard]] QString textOfRow(int row, TranscriptPosition from, TranscriptPosition to) const;

    ChatModel *m_model;
    Selection *m_selection;
    /// Laid out on demand, which a question about places may need.
    mutable Transcript m_transcript;
    EmptyState *m_empty;
    QPushButton *m_toEnd;
    ColorLegend *m_legend;
    ColorBy m_colorBy = ColorBy::Nothing;
    QBasicTimer m_layoutTimer;
    QBasicTimer m_animationTimer;
    QBasicTimer m_dragTimer; ///< scrolls on while text is selected beyond the edge
    QElapsedTimer m_animationClock;
    bool m_following = true;
    bool m_settingScroll = false;
    qreal m_scroll = 0;

    std::optional<TokenRange> m_shownRange; ///< of the selection, as it was painted last
    Hit m_hit;
    HotspotRef m_focused;
    std::optional<QPoint> m_pressedAt;
    Hit m_pressed;
    bool m_dragging = false;
    std::optional<TranscriptPosition> m_selectionAnchor;
    TranscriptPosition m_selectionEnd;
};

} // namespace bathyscope::ui
