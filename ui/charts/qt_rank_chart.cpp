// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/rank_chart.h"

#include "ui/charts/qt_chart_view.h"
#include "ui/theme/theme.h"

#include <QChart>
#include <QEvent>
#include <QLineSeries>
#include <QLogValueAxis>
#include <QPen>
#include <QScatterSeries>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr double leastShown = 1e-12; // below, single precision says little
constexpr double firstShown = 0.9; // a little before rank 1, so that its point is whole
constexpr int pointedRanks = 20; // drawn as points, too

class QtRankChart final : public RankChart {
public:
    explicit QtRankChart(QWidget *parent);

    void setCurve(const RankCurve &curve) override;
    void setPinned(const std::vector<double> &probabilities) override;

protected:
    void changeEvent(QEvent *event) override;

private:
    void addSeries(QXYSeries *series);
    void applyTheme();
    void fitAxes();

    QChart *m_chart; // owned by the view that shows it
    QLogValueAxis *m_ranks;
    QLogValueAxis *m_values;
    QLineSeries *m_curve;
    QLineSeries *m_pinned;
    QLineSeries *m_fit;
    QScatterSeries *m_points;
    QScatterSeries *m_chosen;
};

QList<QPointF> pointsOf(const std::vector<double> &probabilities, std::size_t count)
{
    QList<QPointF> points;
    for (std::size_t i = 0; i < std::min(count, probabilities.size()); ++i)
        if (probabilities[i] >= leastShown)
            points.append({static_cast<double>(i + 1), probabilities[i]});
    return points;
}

QtRankChart::QtRankChart(QWidget *parent)
    : RankChart(parent)
    , m_chart(new QChart)
    , m_ranks(new QLogValueAxis(m_chart))
    , m_values(new QLogValueAxis(m_chart))
    , m_curve(new QLineSeries(m_chart))
    , m_pinned(new QLineSeries(m_chart))
    , m_fit(new QLineSeries(m_chart))
    , m_points(new QScatterSeries(m_chart))
    , m_chosen(new QScatterSeries(m_chart))
{
    fillWithChart(this, m_chart, tr("Probability over rank, both logarithmic"));
    m_chart->addAxis(m_ranks, Qt::AlignBottom);
    m_chart->addAxis(m_values, Qt::AlignLeft);
    for (QXYSeries *series : std::initializer_list<QXYSeries *>{m_pinned, m_fit, m_curve, m_points, m_chosen})
        addSeries(series);
    m_points->setMarkerSize(5);
    m_chosen->setMarkerSize(9);
    m_ranks->setLabelFormat(QStringLiteral("%g"));
    m_values->setLabelFormat(QStringLiteral("%g"));
    applyTheme();
    fitAxes();
}

void QtRankChart::addSeries(QXYSeries *series)
{
    m_chart->addSeries(series);
    series->attachAxis(m_ranks);
    series->attachAxis(m_values);
}

void QtRankChart::setCurve(const RankCurve &curve)
{
    m_curve->replace(pointsOf(curve.probabilities, curve.probabilities.size()));
    m_points->replace(pointsOf(curve.probabilities, pointedRanks));
    QList<QPointF> line;
    if (curve.fit)
        for (const int rank : {curve.fit->first, curve.fit->last})
            line.append({static_cast<double>(rank), std::max(curve.fit->at(rank), leastShown)});
    m_fit->replace(line);
    QList<QPointF> chosen;
    const auto rank = static_cast<std::size_t>(curve.chosenRank);
    if (rank > 0 && rank <= curve.probabilities.size() && curve.probabilities[rank - 1] >= leastShown)
        chosen.append({static_cast<double>(rank), curve.probabilities[rank - 1]});
    m_chosen->replace(chosen);
    fitAxes();
}

void QtRankChart::setPinned(const std::vector<double> &probabilities)
{
    m_pinned->replace(pointsOf(probabilities, probabilities.size()));
    fitAxes();
}

/// Whole decades, so that the picture does not jump from token to token.
void QtRankChart::fitAxes()
{
    double ranks = 10;
    double least = 0.1;
    for (const QLineSeries *series : {m_curve, m_pinned}) {
        if (series->count() == 0)
            continue;
        const QPointF last = series->at(series->count() - 1);
        ranks = std::max(ranks, last.x());
        least = std::min(least, last.y());
    }
    const double decades = std::floor(std::log10(least));
    m_ranks->setRange(firstShown, std::max(ranks, 20.0));
    m_values->setBase(decades < -6 ? 100 : 10);
    const double lowest = decades < -6 ? 2 * std::floor(decades / 2) : decades;
    m_values->setRange(std::pow(10.0, lowest), std::pow(10.0, -lowest / 32)); // rank 1 stands below the edge
}

void QtRankChart::applyTheme()
{
    const Colors &colors = theme::colors();
    m_curve->setPen(QPen(colors.accent, 2));
    m_pinned->setPen(QPen(colors.secondary, 1.5, Qt::DotLine));
    m_fit->setPen(QPen(colors.text, 1, Qt::DashLine));
    m_points->setColor(colors.accent);
    m_points->setBorderColor(colors.accent);
    m_chosen->setColor(colors.selectionOutline);
    m_chosen->setBorderColor(colors.panel);
    styleAxis(*m_ranks);
    styleAxis(*m_values);
}

void QtRankChart::changeEvent(QEvent *event)
{
    RankChart::changeEvent(event);
    if (event->type() == QEvent::StyleChange || event->type() == QEvent::PaletteChange)
        applyTheme();
}

} // namespace

RankChart *createRankChart(QWidget *parent)
{
    return new QtRankChart(parent);
}

} // namespace bathyscope::ui
