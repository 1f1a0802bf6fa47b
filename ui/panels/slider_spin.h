// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QDoubleSpinBox;
class QSlider;

namespace bathyscope::ui {

/// A slider and a number that move together.
class SliderSpin : public QWidget {
    Q_OBJECT

public:
    /// The slider moves in steps of `step` from `minimum` to `maximum`.
    SliderSpin(double minimum, double maximum, double step, QWidget *parent);

    void setValue(double value); ///< emits nothing
    [[nodiscard]] double value() const;
    /// Names slider and number for screen readers.
    void setName(const QString &name);
    [[nodiscard]] QDoubleSpinBox *spinBox() const { return m_spin; }

signals:
    void edited(double value); ///< by the user

private:
    double m_minimum;
    double m_step;
    QSlider *m_slider;
    QDoubleSpinBox *m_spin;
};

} // namespace bathyscope::ui
