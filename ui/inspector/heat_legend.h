// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QStringList>
#include <QWidget>

namespace bathyscope::ui {

/// The scale of the heatmap: a bar of its colours between numbers.
class HeatLegend : public QWidget {
    Q_OBJECT

public:
    explicit HeatLegend(QWidget *parent);

    /// `quantity` is what is measured; numbers stand at the scale's beginning and end, and on one that goes
    /// both ways in the middle.
    struct Scale {
        QString quantity;
        QString low;
        QString middle; ///< empty: the scale goes one way, and beside it stands what has no value at all
        QString high;
    };
    void setScale(const Scale &scale);
    [[nodiscard]] const Scale &scale() const { return m_scale; }

    [[nodiscard]] QSize sizeHint() const override { return {436, 18}; }

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    Scale m_scale;
};

} // namespace bathyscope::ui
