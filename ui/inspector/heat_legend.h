// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

namespace bathyscope::ui {

/// The scale of the heatmap: a bar of its colours between two numbers, and the expert numbers at the ends.
class HeatLegend : public QWidget {
    Q_OBJECT

public:
    explicit HeatLegend(QWidget *parent);

    /// `quantity` is what is measured, `end` the number at the end of the scale.
    void setScale(const QString &quantity, const QString &end);

    [[nodiscard]] QSize sizeHint() const override { return {436, 18}; }

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QString m_quantity;
    QString m_end;
};

} // namespace bathyscope::ui
