// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

namespace bathyscope::ui {

/// How much of the context is used, as a bar of 90 px. The last tenth is shown as a warning.
class ContextGauge : public QWidget {
    Q_OBJECT

public:
    explicit ContextGauge(QWidget *parent = nullptr);

    void setShare(double share); ///< 0…1

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    double m_share = 0;
};

} // namespace bathyscope::ui
