// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/model/token_heat.h"

#include <QAbstractButton>

namespace bathyscope::ui {

/// The scale by which text is coloured, drawn as the text is. A click asks for the next one.
class ColorLegend : public QAbstractButton {
    Q_OBJECT

public:
    explicit ColorLegend(QWidget *parent);

    void setScale(ColorBy by);
    [[nodiscard]] QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    TokenScale m_scale;
};

/// A token's ground and, for those who do not tell colours apart, a line under it that grows with the heat.
void paintTokenHeat(QPainter &painter, const QRectF &rect, double heat);

} // namespace bathyscope::ui
