// SPDX-License-Identifier: GPL-3.0-or-later
//
// The one selection that every view shows and can set: tokens of one reply, a layer, an expert.
#pragma once

#include "ui/model/chat_message.h"

#include <QObject>

#include <memory>
#include <optional>
#include <vector>

namespace bathyscope::ui {

/// A token of a reply: index into ChatMessage::tokens.
struct TokenPosition {
    MessageId message = 0;
    int token = 0;

    bool operator==(const TokenPosition &) const = default;
};

/// Tokens `first` to `last` of a reply, both included.
struct TokenRange {
    MessageId message = 0;
    int first = 0;
    int last = 0;

    [[nodiscard]] int count() const { return last - first + 1; }
    [[nodiscard]] bool contains(const TokenPosition &at) const
    {
        return at.message == message && at.token >= first && at.token <= last;
    }
    bool operator==(const TokenRange &) const = default;
};

/// A place in the router's map. Each part may be unknown: a whole layer has no expert.
struct RoutingCell {
    std::optional<int> layer = {}; ///< of the model, dense ones counted
    std::optional<int> expert = {};

    bool operator==(const RoutingCell &) const = default;
};

/// A token that others are compared with. A copy: it stays when its reply is not shown any more.
struct PinnedToken {
    TokenPosition at;
    std::shared_ptr<const TokenRecord> record; ///< null: none is pinned

    [[nodiscard]] explicit operator bool() const { return record != nullptr; }
};

/// The selection, with the steps that led to it, and apart from it what the pointer is over.
///
/// A range has an end that moves, its token(): that is the one views of a single token show. A walk, one
/// token after the other, is one step of undo.
class Selection : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    [[nodiscard]] const std::optional<TokenPosition> &token() const { return m_state.token; }
    /// The tokens between anchor and token(), both included.
    [[nodiscard]] std::optional<TokenRange> range() const;
    [[nodiscard]] const RoutingCell &cell() const { return m_state.cell; }

    void setToken(std::optional<TokenPosition> token); ///< a range of one; the cell stays
    void setRange(MessageId message, int anchor, int token); ///< in either order
    void extendTo(int token); ///< in the same reply; the anchor stays
    void brushTo(int token); ///< extendTo() as a part of a drag: undone together with the other parts
    void setCell(const RoutingCell &cell); ///< the tokens stay
    /// setToken() as a part of a walk: consecutive ones are undone together.
    void walkTo(const TokenPosition &token);

    [[nodiscard]] bool canUndo() const { return !m_undo.empty(); }
    [[nodiscard]] bool canRedo() const { return !m_redo.empty(); }
    void undo();
    void redo();
    /// Nothing is selected and there is nothing to undo: another conversation is shown. The pin stays.
    void clear();

    [[nodiscard]] const PinnedToken &pinned() const { return m_pinned; }
    void setPinned(const PinnedToken &pinned); ///< {}: none

    [[nodiscard]] const std::optional<TokenPosition> &hoveredToken() const { return m_hoveredToken; }
    [[nodiscard]] const RoutingCell &hoveredCell() const { return m_hoveredCell; }
    void setHoveredToken(std::optional<TokenPosition> token);
    void setHoveredCell(const RoutingCell &cell);

signals:
    void changed();
    void hoverChanged();
    void pinnedChanged();

private:
    struct State {
        std::optional<TokenPosition> token;
        int anchor = 0;
        RoutingCell cell;

        bool operator==(const State &) const = default;
    };

    void apply(const State &state, bool walking = false);

    State m_state;
    std::vector<State> m_undo; ///< oldest first
    std::vector<State> m_redo; ///< the next one last
    bool m_walking = false; ///< the present state was walked to
    std::optional<TokenPosition> m_hoveredToken;
    RoutingCell m_hoveredCell;
    PinnedToken m_pinned;
};

} // namespace bathyscope::ui
