// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/panels/slider_spin.h"

#include "ui/theme/theme.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QSignalBlocker>
#include <QSlider>

#include <cmath>

namespace bathyscope::ui {

SliderSpin::SliderSpin(double minimum, double maximum, double step, QWidget *parent)
    : QWidget(parent)
    , m_minimum(minimum)
    , m_step(step)
    , m_slider(new QSlider(Qt::Horizontal, this))
    , m_spin(new QDoubleSpinBox(this))
{
    m_slider->setRange(0, static_cast<int>(std::lround((maximum - minimum) / step)));
    m_spin->setRange(minimum, maximum);
    m_spin->setDecimals(2);
    m_spin->setSingleStep(step);
    m_spin->setFont(theme::numberFont());
    m_spin->setAlignment(Qt::AlignRight);
    m_spin->setButtonSymbols(QAbstractSpinBox::NoButtons);
    m_spin->setFixedWidth(64);
    m_spin->setLocale(QLocale::c());
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_slider, 1);
    layout->addWidget(m_spin);
    connect(m_slider, &QSlider::valueChanged, this, [this](int position) {
        const double value = m_minimum + position * m_step;
        const QSignalBlocker blocker(m_spin);
        m_spin->setValue(value);
        emit edited(value);
    });
    connect(m_spin, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        setValue(value);
        emit edited(value);
    });
}

void SliderSpin::setValue(double value)
{
    const QSignalBlocker sliderBlocker(m_slider);
    const QSignalBlocker spinBlocker(m_spin);
    m_spin->setValue(value);
    m_slider->setValue(static_cast<int>(std::lround((value - m_minimum) / m_step)));
}

double SliderSpin::value() const
{
    return m_spin->value();
}

void SliderSpin::setName(const QString &name)
{
    m_slider->setAccessibleName(name);
    m_spin->setAccessibleName(name);
}

} // namespace bathyscope::ui
