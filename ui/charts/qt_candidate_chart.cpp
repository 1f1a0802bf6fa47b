// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/candidate_chart.h"

#include "ui/charts/qt_chart_view.h"
#include "ui/theme/theme.h"

#include <QBarCategoryAxis>
#include <QBarSet>
#include <QChart>
#include <QEvent>
#include <QHorizontalStackedBarSeries>
#include <QPen>
#include <QValueAxis>

#include <array>

namespace bathyscope::ui {

namespace {

constexpr int sideMargin = 14; // room for half of the labels "0" and "100"

class QtCandidateChart final : public CandidateChart {
public:
    explicit QtCandidateChart(QWidget *parent);

    void setBars(const std::vector<CandidateBar> &bars) override;
    void setRows(int top, int height) override;

protected:
    void changeEvent(QEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void applyTheme();
    void placePlot();
    void resizeSets(int rows);

    QChart *m_chart; // owned by the view that shows it
    QHorizontalStackedBarSeries *m_series;
    QBarCategoryAxis *m_rows;
    QValueAxis *m_values;
    std::array<QBarSet *, 3> m_sets{}; // one a kind, so that each has its colour
    int m_rowCount = 0;
    int m_top = 0;
    int m_rowHeight = 21;
};

QtCandidateChart::QtCandidateChart(QWidget *parent)
    : CandidateChart(parent)
    , m_chart(new QChart)
    , m_series(new QHorizontalStackedBarSeries(m_chart))
    , m_rows(new QBarCategoryAxis(m_chart))
    , m_values(new QValueAxis(m_chart))
{
    fillWithChart(this, m_chart, tr("Probabilities of the candidates, in percent"));
    for (QBarSet *&set : m_sets) {
        set = new QBarSet(QString(), m_series);
        m_series->append(set);
    }
    m_series->setBarWidth(0.5);
    m_chart->addSeries(m_series);
    m_chart->addAxis(m_rows, Qt::AlignLeft);
    m_chart->addAxis(m_values, Qt::AlignTop);
    m_series->attachAxis(m_rows);
    m_series->attachAxis(m_values);
    m_rows->setVisible(false);
    m_values->setRange(0, 100);
    m_values->setTickCount(3);
    m_values->setLabelFormat(QStringLiteral("%d"));
    QObject::connect(m_series, &QAbstractBarSeries::clicked, this,
                     [this](int bar, QBarSet *) { emit rowClicked(m_rowCount - 1 - bar); });
    applyTheme();
}

void QtCandidateChart::resizeSets(int rows)
{
    if (rows == m_rowCount)
        return;
    m_rowCount = rows;
    QStringList categories;
    for (int row = 0; row < rows; ++row)
        categories.append(QString::number(row));
    m_rows->setCategories(categories);
    for (QBarSet *set : m_sets) {
        set->remove(0, set->count());
        set->append(QList<qreal>(rows, 0.0));
    }
    placePlot();
}

void QtCandidateChart::setBars(const std::vector<CandidateBar> &bars)
{
    resizeSets(static_cast<int>(bars.size()));
    for (int row = 0; row < m_rowCount; ++row) {
        const CandidateBar &bar = bars[static_cast<std::size_t>(m_rowCount - 1 - row)]; // counted from below
        for (int kind = 0; kind < 3; ++kind) {
            const double value = kind == static_cast<int>(bar.kind) ? 100 * bar.probability : 0;
            QBarSet *set = m_sets[static_cast<std::size_t>(kind)];
            if (set->at(row) != value)
                set->replace(row, value);
        }
    }
}

void QtCandidateChart::setRows(int top, int height)
{
    m_top = top;
    m_rowHeight = height;
    placePlot();
}

void QtCandidateChart::placePlot()
{
    m_chart->setPlotArea(QRectF(sideMargin, m_top, std::max(1, width() - 2 * sideMargin),
                                std::max(1, m_rowCount * m_rowHeight)));
}

void QtCandidateChart::applyTheme()
{
    const Colors &colors = theme::colors();
    const std::array fills{colors.accent, colors.selectionOutline, colors.secondary};
    for (std::size_t kind = 0; kind < fills.size(); ++kind) {
        m_sets[kind]->setColor(fills[kind]);
        m_sets[kind]->setPen(Qt::NoPen);
    }
    styleAxis(*m_values);
}

void QtCandidateChart::changeEvent(QEvent *event)
{
    CandidateChart::changeEvent(event);
    if (event->type() == QEvent::StyleChange || event->type() == QEvent::PaletteChange)
        applyTheme();
}

void QtCandidateChart::resizeEvent(QResizeEvent *event)
{
    CandidateChart::resizeEvent(event);
    placePlot();
}

} // namespace

CandidateChart *createCandidateChart(QWidget *parent)
{
    return new QtCandidateChart(parent);
}

} // namespace bathyscope::ui
