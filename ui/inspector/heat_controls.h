// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the heatmap shows, on which scale, in which order.
#pragma once

#include "ui/inspector/heat_values.h"

#include <QWidget>

#include <optional>

class QComboBox;
class QToolButton;

namespace bathyscope::ui {

class HeatControls : public QWidget {
    Q_OBJECT

public:
    enum class Order { Number, Load, CoActivation };

    explicit HeatControls(QWidget *parent);

    [[nodiscard]] const HeatMode &mode() const { return m_mode; }
    [[nodiscard]] Order order() const { return m_order; }
    void setMode(const HeatMode &mode);
    void setOrder(Order order);

    /// The version that the reply can be compared with, counted from 0; none: there is no other.
    void setSibling(std::optional<int> version);
    /// `name` of the pinned token; empty: none.
    void setPinned(const QString &name);

signals:
    void changed();
    /// The user wants the present token pinned, or none.
    void pinRequested(bool pin);

private:
    QComboBox *addChoice(const QString &name, const QStringList &choices);
    void addKey(const QString &key, HeatMode::Show show);
    void readChoices();
    void writeChoices();
    /// Why a comparison cannot be shown, as the tool tip of its disabled entry; empty: it can.
    void setAvailable(HeatMode::Show show, const QString &reason);

    HeatMode m_mode;
    Order m_order = Order::Number;
    QComboBox *m_show;
    QComboBox *m_scale;
    QComboBox *m_share;
    QComboBox *m_orderChoice;
    QToolButton *m_pin;
};

} // namespace bathyscope::ui
