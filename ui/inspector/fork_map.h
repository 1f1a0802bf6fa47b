// SPDX-License-Identifier: GPL-3.0-or-later
//
// The versions of an answer as a small tree: a line for each, beginning where it parts from another.
#pragma once

#include "ui/model/fork_tree.h"

#include <QWidget>

#include <optional>

namespace bathyscope::ui {

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
    void keyPressEvent(QKeyEvent *event) override;

private:
    [[nodiscard]] std::optional<int> branchAt(int y) const;
    [[nodiscard]] qreal xOf(int token) const;
    [[nodiscard]] qreal yOf(int branch) const;

    std::vector<ForkBranch> m_branches;
    int m_current = 0;
};

} // namespace bathyscope::ui
