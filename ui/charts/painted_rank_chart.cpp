// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/rank_chart.h"

#include "ui/theme/theme.h"

#include <QEvent>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr double leastShown = 1e-12; // below, single precision says little
constexpr std::size_t pointedRanks = 20; // drawn as points, too
constexpr int leftMargin = 40; // room for the labels of the probabilities
constexpr int bottomMargin = 20; // room for the labels of the ranks
constexpr int rightMargin = 12;
constexpr int topMargin = 8;

/// Looks as the chart of Qt Charts does: decades as grid lines, the curve with its first ranks as points.
class PaintedRankChart final : public RankChart {
public:
    explicit PaintedRankChart(QWidget *parent)
        : RankChart(parent)
    {
        setAccessibleName(tr("Probability over rank, both logarithmic"));
    }

    void setCurve(const RankCurve &curve) override
    {
        m_curve = curve;
        update();
    }
    void setPinned(const std::vector<double> &probabilities) override
    {
        m_pinned = probabilities;
        update();
    }

protected:
    void changeEvent(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;

private:
    /// Where ranks and probabilities lie.
    struct Scale {
        QRectF plot;
        double rankDecades = 1; ///< from rank 1 to the right edge
        int decades = 1; ///< from 1 down to the lower edge

        [[nodiscard]] QPointF at(double rank, double probability) const
        {
            return {plot.left() + plot.width() * std::log10(rank) / rankDecades,
                    plot.top() - plot.height() * std::log10(probability) / decades};
        }
    };

    [[nodiscard]] Scale scale() const;
    void drawGrid(QPainter &painter, const Scale &scale) const;
    void drawCurve(QPainter &painter, const Scale &scale) const;
    void drawFit(QPainter &painter, const Scale &scale) const;

    RankCurve m_curve;
    std::vector<double> m_pinned;
};

/// The probabilities that are shown: those from the first on that single precision can tell.
std::size_t shownCount(const std::vector<double> &probabilities)
{
    const auto end = std::ranges::find_if(probabilities, [](double p) { return p < leastShown; });
    return static_cast<std::size_t>(end - probabilities.begin());
}

PaintedRankChart::Scale PaintedRankChart::scale() const
{
    double ranks = 20;
    double least = 0.1;
    for (const std::vector<double> *curve : {&m_curve.probabilities, &m_pinned}) {
        const std::size_t count = shownCount(*curve);
        if (count == 0)
            continue;
        ranks = std::max(ranks, static_cast<double>(count));
        least = std::min(least, (*curve)[count - 1]);
    }
    return {QRectF(rect()).adjusted(leftMargin, topMargin, -rightMargin, -bottomMargin), std::log10(ranks),
            std::max(1, static_cast<int>(std::ceil(-std::log10(least))))};
}

void PaintedRankChart::drawGrid(QPainter &painter, const Scale &scale) const
{
    const Colors &colors = theme::colors();
    QFont font = theme::numberFont();
    font.setPixelSize(11);
    painter.setFont(font);
    const auto text = [&](const QRectF &where, Qt::Alignment alignment, const QString &label) {
        painter.setPen(colors.secondary);
        painter.drawText(where, static_cast<int>(alignment), label);
    };
    for (int decade = 0; decade <= scale.decades; decade += scale.decades > 6 ? 2 : 1) {
        const double y = scale.at(1, std::pow(10.0, -decade)).y();
        painter.fillRect(QRectF(scale.plot.left(), y, scale.plot.width(), 1), colors.line);
        text({0, y - 8, leftMargin - 6, 16}, Qt::AlignRight | Qt::AlignVCenter,
             QString::number(std::pow(10.0, -decade), 'e', 0));
    }
    for (int decade = 0; decade <= scale.rankDecades; ++decade) {
        const double x = scale.at(std::pow(10.0, decade), 1).x();
        painter.fillRect(QRectF(x, scale.plot.top(), 1, scale.plot.height()), colors.line);
        text({x - 24, scale.plot.bottom() + 2, 48, bottomMargin - 2}, Qt::AlignHCenter | Qt::AlignTop,
             QString::number(std::pow(10.0, decade)));
    }
}

QPainterPath pathOf(const std::vector<double> &probabilities, auto place)
{
    QPainterPath path;
    for (std::size_t i = 0; i < shownCount(probabilities); ++i) {
        const QPointF point = place(static_cast<double>(i + 1), probabilities[i]);
        if (i == 0)
            path.moveTo(point);
        else
            path.lineTo(point);
    }
    return path;
}

void PaintedRankChart::drawCurve(QPainter &painter, const Scale &scale) const
{
    const Colors &colors = theme::colors();
    const auto place = [&](double rank, double probability) { return scale.at(rank, probability); };
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colors.secondary, 1.5, Qt::DotLine));
    painter.drawPath(pathOf(m_pinned, place));
    painter.setPen(QPen(colors.accent, 2));
    painter.drawPath(pathOf(m_curve.probabilities, place));

    const std::size_t shown = shownCount(m_curve.probabilities);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors.accent);
    for (std::size_t i = 0; i < std::min(shown, pointedRanks); ++i)
        painter.drawEllipse(place(static_cast<double>(i + 1), m_curve.probabilities[i]), 2.5, 2.5);
    const auto chosen = static_cast<std::size_t>(m_curve.chosenRank);
    if (chosen > 0 && chosen <= shown) {
        painter.setPen(QPen(colors.panel, 1));
        painter.setBrush(colors.selectionOutline);
        painter.drawEllipse(place(m_curve.chosenRank, m_curve.probabilities[chosen - 1]), 4.5, 4.5);
    }
}

void PaintedRankChart::drawFit(QPainter &painter, const Scale &scale) const
{
    if (!m_curve.fit)
        return;
    const PowerLaw &fit = *m_curve.fit;
    painter.setPen(QPen(theme::colors().text, 1, Qt::DashLine));
    painter.drawLine(scale.at(fit.first, std::max(fit.at(fit.first), leastShown)),
                     scale.at(fit.last, std::max(fit.at(fit.last), leastShown)));
}

void PaintedRankChart::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Scale where = scale();
    drawGrid(painter, where);
    drawFit(painter, where);
    drawCurve(painter, where);
}

void PaintedRankChart::changeEvent(QEvent *event)
{
    RankChart::changeEvent(event);
    if (event->type() == QEvent::StyleChange || event->type() == QEvent::PaletteChange)
        update();
}

} // namespace

RankChart *createRankChart(QWidget *parent)
{
    return new PaintedRankChart(parent);
}

} // namespace bathyscope::ui
