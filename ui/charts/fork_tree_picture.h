// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/model/fork_tree.h"

#include <QRectF>

class QPainter;

namespace bathyscope::ui {

/// The versions of an answer as a small tree: a lane for each, beginning where it parts from another. Where
/// the lanes do not all have room, those around the current one are drawn.
class ForkTreePicture {
public:
    /// `area` holds the lanes, of at least `leastLane` px each; `current` is an index into `branches`.
    ForkTreePicture(const std::vector<ForkBranch> &branches, int current, const QRectF &area,
                    qreal leastLane);

    [[nodiscard]] int first() const { return m_first; } ///< lane that is drawn
    [[nodiscard]] int end() const { return m_end; } ///< one past the last lane that is drawn
    [[nodiscard]] QRectF laneOf(int branch) const;
    void paint(QPainter &painter, int hovered) const; ///< -1: none

private:
    [[nodiscard]] qreal xOf(int token) const;
    [[nodiscard]] qreal yOf(int branch) const;

    const std::vector<ForkBranch> &m_branches;
    int m_current;
    QRectF m_area;
    int m_first = 0;
    int m_end = 0;
    int m_longest = 1; ///< tokens
};

} // namespace bathyscope::ui
