// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QToolButton>

namespace bathyscope::ui {

/// A word in the bar above: framed when it opens a list, bare when it is a command. The shortcut of a bare
/// one may stand beside the word.
class BarButton : public QToolButton {
    Q_OBJECT

public:
    enum class Look { Framed, Bare };

    explicit BarButton(Look look, QWidget *parent = nullptr);

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    [[nodiscard]] QString shownText() const;

    Look m_look;
};

} // namespace bathyscope::ui
