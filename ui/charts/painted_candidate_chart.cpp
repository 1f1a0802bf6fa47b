// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/candidate_chart.h"

#include "ui/theme/theme.h"

#include <QMouseEvent>
#include <QPainter>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int sideMargin = 14; // room for half of the labels "0" and "100"
constexpr int labelGap = 5; // from the labels to the plot
constexpr double barShare = 0.5; // of a row's height

/// Looks as the chart of Qt Charts does: an axis from 0 to 100 on top, and a bar in the middle of every row.
class PaintedCandidateChart final : public CandidateChart {
public:
    explicit PaintedCandidateChart(QWidget *parent);

    void setBars(const std::vector<CandidateBar> &bars) override;
    void setRows(int top, int height) override;

protected:
    void changeEvent(QEvent *event) override;
    void mousePressEvent(QMouseEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    [[nodiscard]] QRect plot() const;
    void drawAxis(QPainter &painter, const QRect &plot) const;

    std::vector<CandidateBar> m_bars;
    int m_top = 0;
    int m_rowHeight = 21;
};

PaintedCandidateChart::PaintedCandidateChart(QWidget *parent)
    : CandidateChart(parent)
{
    setAccessibleName(tr("Probabilities of the candidates, in percent"));
}

void PaintedCandidateChart::setBars(const std::vector<CandidateBar> &bars)
{
    m_bars = bars;
    update();
}

void PaintedCandidateChart::setRows(int top, int height)
{
    m_top = top;
    m_rowHeight = height;
    update();
}

QRect PaintedCandidateChart::plot() const
{
    return {sideMargin, m_top, std::max(1, width() - 2 * sideMargin),
            std::max(1, static_cast<int>(m_bars.size()) * m_rowHeight)};
}

void PaintedCandidateChart::drawAxis(QPainter &painter, const QRect &plot) const
{
    const Colors &colors = theme::colors();
    QFont font = theme::numberFont();
    font.setPixelSize(11);
    painter.setFont(font);
    for (const int percent : {0, 50, 100}) {
        const int x = plot.left() + static_cast<int>(std::lround(plot.width() * percent / 100.0));
        painter.fillRect(x, plot.top(), 1, plot.height(), colors.line);
        painter.setPen(colors.secondary);
        const QRect label(x - sideMargin, 0, 2 * sideMargin, plot.top() - labelGap);
        painter.drawText(label, Qt::AlignHCenter | Qt::AlignBottom, QString::number(percent));
    }
    painter.fillRect(plot.left(), plot.top(), plot.width(), 1, colors.line);
}

void PaintedCandidateChart::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const QRect area = plot();
    drawAxis(painter, area);
    const Colors &colors = theme::colors();
    for (std::size_t row = 0; row < m_bars.size(); ++row) {
        const CandidateBar &bar = m_bars[row];
        const QColor &fill = bar.kind == CandidateBar::Kind::Plain ? colors.accent
            : bar.kind == CandidateBar::Kind::Chosen               ? colors.selectionOutline
                                                                   : colors.secondary;
        const double top = area.top() + (static_cast<double>(row) + (1 - barShare) / 2) * m_rowHeight;
        painter.fillRect(QRectF(area.left(), top, area.width() * std::clamp(bar.probability, 0.0, 1.0),
                                m_rowHeight * barShare),
                         fill);
    }
}

void PaintedCandidateChart::mousePressEvent(QMouseEvent *event)
{
    const QPoint position = event->position().toPoint();
    if (event->button() == Qt::LeftButton && plot().contains(position))
        emit rowClicked((position.y() - m_top) / m_rowHeight);
    else
        CandidateChart::mousePressEvent(event);
}

void PaintedCandidateChart::changeEvent(QEvent *event)
{
    CandidateChart::changeEvent(event);
    if (event->type() == QEvent::StyleChange || event->type() == QEvent::PaletteChange)
        update();
}

} // namespace

CandidateChart *createCandidateChart(QWidget *parent)
{
    return new PaintedCandidateChart(parent);
}

} // namespace bathyscope::ui
