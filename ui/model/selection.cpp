// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/selection.h"

#include <algorithm>
#include <utility>

namespace bathyscope::ui {

namespace {

constexpr std::size_t longestHistory = 1000; // steps

} // namespace

std::optional<TokenRange> Selection::range() const
{
    if (!m_state.token)
        return std::nullopt;
    const auto [first, last] = std::minmax(m_state.anchor, m_state.token->token);
    return TokenRange{m_state.token->message, first, last};
}

void Selection::setToken(std::optional<TokenPosition> token)
{
    apply({token, token ? token->token : 0, m_state.cell});
}

void Selection::setRange(MessageId message, int anchor, int token)
{
    apply({TokenPosition{message, token}, anchor, m_state.cell});
}

void Selection::extendTo(int token)
{
    if (m_state.token)
        setRange(m_state.token->message, m_state.anchor, token);
}

void Selection::brushTo(int token)
{
    if (m_state.token)
        apply({TokenPosition{m_state.token->message, token}, m_state.anchor, m_state.cell}, true);
}

void Selection::setCell(const RoutingCell &cell)
{
    apply({m_state.token, m_state.anchor, cell});
}

void Selection::walkTo(const TokenPosition &token)
{
    apply({token, token.token, m_state.cell}, true);
}

void Selection::apply(const State &state, bool walking)
{
    if (state == m_state)
        return;
    const bool sameWalk = walking && m_walking;
    if (!sameWalk) {
        if (m_undo.size() == longestHistory)
            m_undo.erase(m_undo.begin());
        m_undo.push_back(m_state);
    }
    m_redo.clear();
    m_walking = walking;
    m_state = state;
    emit changed();
}

void Selection::undo()
{
    if (m_undo.empty())
        return;
    m_redo.push_back(std::exchange(m_state, m_undo.back()));
    m_undo.pop_back();
    m_walking = false;
    emit changed();
}

void Selection::redo()
{
    if (m_redo.empty())
        return;
    m_undo.push_back(std::exchange(m_state, m_redo.back()));
    m_redo.pop_back();
    m_walking = false;
    emit changed();
}

void Selection::clear()
{
    m_undo.clear();
    m_redo.clear();
    m_walking = false;
    setHoveredToken({});
    const bool empty = !m_state.token && !m_state.cell.layer && !m_state.cell.expert;
    m_state = {};
    if (!empty)
        emit changed();
}

void Selection::setPinned(const PinnedToken &pinned)
{
    m_pinned = pinned;
    emit pinnedChanged();
}

void Selection::setHoveredToken(std::optional<TokenPosition> token)
{
    if (m_hoveredToken == token)
        return;
    m_hoveredToken = token;
    emit hoverChanged();
}

void Selection::setHoveredCell(const RoutingCell &cell)
{
    if (m_hoveredCell == cell)
        return;
    m_hoveredCell = cell;
    emit hoverChanged();
}

} // namespace bathyscope::ui
