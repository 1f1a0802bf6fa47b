// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/qt_chart_view.h"

#include "ui/theme/theme.h"

#include <QChartView>
#include <QGraphicsLayout>
#include <QHBoxLayout>
#include <QPen>

namespace bathyscope::ui {

void fillWithChart(QWidget *owner, QChart *chart, const QString &name)
{
    chart->legend()->hide();
    chart->setBackgroundVisible(false);
    chart->setMargins({});
    chart->layout()->setContentsMargins(0, 0, 0, 0);
    auto *view = new QChartView(chart, owner);
    view->setFrameShape(QFrame::NoFrame);
    view->setRenderHint(QPainter::Antialiasing);
    view->setFocusPolicy(Qt::NoFocus);
    view->setStyleSheet(QStringLiteral("background: transparent"));
    view->setAccessibleName(name);
    owner->setAccessibleName(name);
    auto *layout = new QHBoxLayout(owner);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(view);
}

void styleAxis(QAbstractAxis &axis)
{
    const Colors &colors = theme::colors();
    QFont font = theme::numberFont();
    font.setPixelSize(11);
    axis.setLabelsFont(font);
    axis.setLabelsColor(colors.secondary);
    axis.setGridLinePen(QPen(colors.line, 1));
    axis.setLinePen(QPen(colors.line, 1));
}

} // namespace bathyscope::ui
