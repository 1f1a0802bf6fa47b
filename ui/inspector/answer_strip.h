// SPDX-License-Identifier: GPL-3.0-or-later
//
// A whole answer on one strip: a bar of surprisal for each token, the entropy as a line over it.
#pragma once

#include "ui/model/selection.h"

#include <QPixmap>
#include <QWidget>

#include <optional>
#include <span>
#include <vector>

namespace bathyscope::ui {

/// A click selects a token, a drag a range; left and right walk, with Shift they extend. Where there are
/// more tokens than pixels a column shows the most surprising of its tokens.
class AnswerStrip : public QWidget {
    Q_OBJECT

public:
    explicit AnswerStrip(Selection *selection, QWidget *parent = nullptr);

    /// Takes what was appended since the last call with this message; anything else starts anew.
    void setMessage(const ChatMessage &message, std::size_t vocabulary);
    /// Entropies of the first tokens that were measured, bits; of the others the lower bound is shown that
    /// the recorded candidates give.
    void setEntropies(std::span<const float> bits);
    void clear();

    [[nodiscard]] int count() const { return static_cast<int>(m_tokens.size()); }
    /// The token under a place of the widget; of several in a column the most surprising one.
    [[nodiscard]] std::optional<int> tokenAt(int x) const;
    [[nodiscard]] QRect tokenRect(int token) const;
    /// In words, of the hovered or selected token.
    [[nodiscard]] QString readout() const;

    [[nodiscard]] QSize sizeHint() const override { return {420, 120}; }

signals:
    void readoutChanged();

protected:
    bool event(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void changeEvent(QEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    struct Token {
        float surprisal = 0; ///< bits
        float entropy = 0; ///< bits
        Section section = Section::Answer;
        bool known = false; ///< the entropy
        bool measured = false; ///< the entropy; else it is a lower bound
    };

    [[nodiscard]] QRect plot() const;
    [[nodiscard]] int xOf(int token) const;
    [[nodiscard]] int yOf(double bits) const;
    [[nodiscard]] double mostBits() const;
    void paintSections(QPainter &painter) const;
    void redraw(); ///< the tokens have changed
    void keepPicture(qreal ratio);
    void paintTokens(QPainter &painter) const;
    void paintBar(QPainter &painter, int token, const QColor &color) const;
    void paintEntropy(QPainter &painter) const;
    void paintMarks(QPainter &painter) const;
    void paintAxis(QPainter &painter) const;

    Selection *m_selection;
    MessageId m_message = 0;
    std::vector<Token> m_tokens;
    float m_greatest = 0; ///< bits
    QPixmap m_picture; ///< bars and entropy, which stay when the selection walks; null: to be drawn
    std::optional<int> m_anchor; ///< of a drag
};

} // namespace bathyscope::ui
