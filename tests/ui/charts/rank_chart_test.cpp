// SPDX-License-Identifier: GPL-3.0-or-later
//
// Both forms of the chart, Qt Charts' and the painted one: this file is linked once with each.
#include "ui/charts/rank_chart.h"
#include "ui/theme/theme.h"

#include <QImage>
#include <QTest>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

namespace bathyscope::ui {

namespace {

std::vector<double> powerLaw(int ranks, double slope)
{
    std::vector<double> probabilities;
    for (int rank = 1; rank <= ranks; ++rank)
        probabilities.push_back(0.5 * std::pow(rank, slope));
    return probabilities;
}

/// How many pixels of a picture are of a colour, nearly: edges are smoothed.
int pixelsOf(const QImage &picture, const QColor &colour)
{
    int count = 0;
    for (int y = 0; y < picture.height(); ++y)
        for (int x = 0; x < picture.width(); ++x) {
            const QColor found = picture.pixelColor(x, y);
            count += std::abs(found.red() - colour.red()) < 12
                && std::abs(found.green() - colour.green()) < 12
                && std::abs(found.blue() - colour.blue()) < 12;
        }
    return count;
}

} // namespace

class RankChartTest : public QObject {
    Q_OBJECT

private slots:
    void theChosenRankAloneIsAmber()
    {
        const std::unique_ptr<RankChart> chart(createRankChart(nullptr));
        chart->resize(400, 200);
        chart->setCurve({powerLaw(100, -1.5), {}, 0});
        const QImage without = chart->grab().toImage();
        QVERIFY(pixelsOf(without, theme::colors().accent) > 300);
        QCOMPARE(pixelsOf(without, theme::colors().selectionOutline), 0);
        chart->setCurve({powerLaw(100, -1.5), {}, 3});
        QVERIFY(pixelsOf(chart->grab().toImage(), theme::colors().selectionOutline) > 20);
    }

    void aFitAndAPinAreDrawnBesideTheCurve()
    {
        const std::unique_ptr<RankChart> chart(createRankChart(nullptr));
        chart->resize(400, 200);
        const std::vector<double> curve = powerLaw(100, -1.5);
        chart->setCurve({curve, {}, 0});
        const QImage alone = chart->grab().toImage();
        chart->setPinned(powerLaw(100, -0.5));
        const QImage pinned = chart->grab().toImage();
        QVERIFY(alone != pinned);
        chart->setPinned({});
        QCOMPARE(chart->grab().toImage(), alone);
        chart->setCurve({curve, PowerLaw{.slope = -1, .scale = 0.2, .first = 1, .last = 100, .r2 = 1}, 0});
        QVERIFY(chart->grab().toImage() != alone);
    }

    void nothingToShowIsNoError()
    {
        const std::unique_ptr<RankChart> chart(createRankChart(nullptr));
        chart->resize(400, 200);
        chart->setCurve({});
        chart->setCurve({{1e-30}, {}, 1});
        chart->setPinned({0.5});
        QVERIFY(!chart->grab().isNull());
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::RankChartTest)
#include "rank_chart_test.moc"
