// SPDX-License-Identifier: GPL-3.0-or-later
//
// What every drawing of the chart must do. Built once for Qt Charts and once for the painted form.
#include "ui/charts/candidate_chart.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QSignalSpy>
#include <QTest>

#include <memory>

using namespace bathyscope::ui;
using Kind = CandidateBar::Kind;

namespace {

constexpr int top = 28;
constexpr int rowHeight = 20;
constexpr QSize size(128, 120); // the plot is 100 px wide

QPoint middleOf(int row, int x)
{
    return {x, top + row * rowHeight + rowHeight / 2};
}

/// Colours that went through antialiasing differ by a little.
bool isNear(const QColor &a, const QColor &b)
{
    return std::abs(a.red() - b.red()) + std::abs(a.green() - b.green()) + std::abs(a.blue() - b.blue()) < 24;
}

} // namespace

class CandidateChartTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void barsAreAsLongAsTheirProbability();
    void kindsHaveTheirColours();
    void lessRowsLeaveNothingBehind();
    void clicksNameTheRow();
    void hasAName();

private:
    QColor colorAt(const QPoint &point) { return QColor(m_chart->grab().toImage().pixel(point)); }

    std::unique_ptr<CandidateChart> m_chart;
};

void CandidateChartTest::init()
{
    theme::apply(*qApp, ColorScheme::Light);
    m_chart.reset(createCandidateChart(nullptr));
    m_chart->setRows(top, rowHeight);
    m_chart->setBars({{.label = QStringLiteral("a"), .probability = 0.7, .kind = Kind::Chosen},
                      {.label = QStringLiteral("b"), .probability = 0.3, .kind = Kind::Plain},
                      {.label = QString(), .probability = 0.2, .kind = Kind::Others}});
    m_chart->resize(size);
    m_chart->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_chart.get()));
    QTest::qWait(0);
}

void CandidateChartTest::barsAreAsLongAsTheirProbability()
{
    const QColor ground = colorAt(middleOf(0, 14 + 90));
    QVERIFY(!isNear(colorAt(middleOf(0, 14 + 66)), ground));
    QVERIFY(isNear(colorAt(middleOf(0, 14 + 74)), ground));
    QVERIFY(!isNear(colorAt(middleOf(1, 14 + 26)), ground));
    QVERIFY(isNear(colorAt(middleOf(1, 14 + 34)), ground));
}

void CandidateChartTest::kindsHaveTheirColours()
{
    const Colors &colors = theme::colors();
    QVERIFY(isNear(colorAt(middleOf(0, 20)), colors.selectionOutline));
    QVERIFY(isNear(colorAt(middleOf(1, 20)), colors.accent));
    QVERIFY(isNear(colorAt(middleOf(2, 20)), colors.secondary));
}

void CandidateChartTest::lessRowsLeaveNothingBehind()
{
    m_chart->setBars({{.label = QStringLiteral("a"), .probability = 1, .kind = Kind::Plain}});
    QTest::qWait(0);
    QVERIFY(isNear(colorAt(middleOf(0, 20)), theme::colors().accent));
    QVERIFY(!isNear(colorAt(middleOf(1, 20)), theme::colors().accent));
    m_chart->setBars({});
    QTest::qWait(0);
    QVERIFY(!isNear(colorAt(middleOf(0, 20)), theme::colors().accent));
}

void CandidateChartTest::clicksNameTheRow()
{
    const QSignalSpy clicks(m_chart.get(), &CandidateChart::rowClicked);
    for (const int row : {0, 2}) {
        QWidget *target = m_chart->childAt(middleOf(row, 20));
        target = target != nullptr ? target : m_chart.get();
        QTest::mouseClick(target, Qt::LeftButton, {}, target->mapFrom(m_chart.get(), middleOf(row, 20)));
    }
    QCOMPARE(clicks.size(), 2);
    QCOMPARE(clicks[0][0].toInt(), 0);
    QCOMPARE(clicks[1][0].toInt(), 2);
}

void CandidateChartTest::hasAName()
{
    QVERIFY(!m_chart->accessibleName().isEmpty());
}

QTEST_MAIN(CandidateChartTest)
#include "candidate_chart_test.moc"
