// SPDX-License-Identifier: GPL-3.0-or-later
//
// The versions of an answer as a tree, with a lane for each.
#pragma once

#include "ui/model/fork_tree.h"

#include <QWidget>

#include <optional>

namespace bathyscope::ui {

class ForkTreePicture;

/// A click, or up and down, asks for another version.
class ForkMap : public QWidget {
    Q_OBJECT

public:
    explicit ForkMap(QWidget *parent = nullptr);

    /// `current` is an index into `branches`, oldest first.
    void setTree(std::vector<ForkBranch> branches, int current);

    [[nodiscard]] QRect branchRect(int branch) const; ///< where it can be clicked
    [[nodiscard]] QSize sizeHint() const override;

signals:
    void branchPicked(int branch);

protected:
    bool event(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    [[nodiscard]] ForkTreePicture picture() const;
    [[nodiscard]] std::optional<int> branchAt(int y) const;
    void setHovered(int branch);

    std::vector<ForkBranch> m_branches;
    int m_current = 0;
    int m_hovered = -1;
};

} // namespace bathyscope::ui
