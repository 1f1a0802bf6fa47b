// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/theme/color_math.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QFontInfo>
#include <QFontMetricsF>
#include <QTest>

using namespace bathyscope::ui;

class ThemeTest : public QObject {
    Q_OBJECT

private slots:
    void lightnessOfKnownColors();
    void textIsReadable();
    void heatIsMonotoneInLightness();
    void differenceIsEvenAroundTheGround();
    void fontsAreBundled();
    void figuresAreTabular();
    void markHasEverySize();

private:
    const ColorScheme m_schemes[2] = {ColorScheme::Light, ColorScheme::Dark};
};

void ThemeTest::lightnessOfKnownColors()
{
    QVERIFY(std::abs(toLab(Qt::white).lightness - 100) < 0.01);
    QVERIFY(std::abs(toLab(Qt::red).lightness - 53.24) < 0.01);
    QCOMPARE(fromLab(toLab(QColor("#43bdb4"))), QColor("#43bdb4"));
    QVERIFY(std::abs(contrastRatio(Qt::white, Qt::black) - 21) < 0.01);
}

void ThemeTest::textIsReadable()
{
    for (const ColorScheme scheme : m_schemes) {
        theme::apply(*qApp, scheme);
        const Colors &c = theme::colors();
        for (const QColor &ground : {c.ground, c.panel, c.ownMessage, c.reasoning, c.hover, c.code})
            for (const QColor &text : {c.text, c.secondary, c.accent, c.error})
                QVERIFY2(contrastRatio(text, ground) >= 4.5,
                         qPrintable(text.name() + QStringLiteral(" on ") + ground.name()));
        QVERIFY(contrastRatio(c.text, c.selection) >= 4.5);
        QVERIFY(contrastRatio(c.onAccent, c.accent) >= 4.5);
    }
}

void ThemeTest::heatIsMonotoneInLightness()
{
    for (const ColorScheme scheme : m_schemes) {
        theme::apply(*qApp, scheme);
        const double sign = theme::colors().dark ? 1 : -1;
        QCOMPARE(theme::heat(0), theme::colors().ground);
        double last = toLab(theme::heat(0)).lightness;
        for (int step = 1; step <= 64; ++step) {
            const double lightness = toLab(theme::heat(step / 64.0)).lightness;
            QVERIFY2((lightness - last) * sign > 0, qPrintable(QString::number(step)));
            last = lightness;
        }
        QCOMPARE(theme::heat(7), theme::heat(1));
        QCOMPARE(theme::heat(-7), theme::heat(0));
    }
}

void ThemeTest::differenceIsEvenAroundTheGround()
{
    for (const ColorScheme scheme : m_schemes) {
        theme::apply(*qApp, scheme);
        QCOMPARE(theme::difference(0), theme::colors().ground);
        QVERIFY(toLab(theme::difference(-1)).b < -20); // blue
        QVERIFY(toLab(theme::difference(1)).b > 20); // orange
        const double blue = toLab(theme::difference(-1)).lightness;
        const double orange = toLab(theme::difference(1)).lightness;
        QVERIFY(std::abs(blue - orange) < 10);
    }
}

void ThemeTest::fontsAreBundled()
{
    theme::apply(*qApp, ColorScheme::Light);
    QCOMPARE(QFontInfo(theme::textFont()).family(), QStringLiteral("Inter"));
    QCOMPARE(QFontInfo(theme::numberFont()).family(), QStringLiteral("Bathyscope Figures"));
    QCOMPARE(QFontInfo(theme::monoFont()).family(), QStringLiteral("JetBrains Mono"));
}

void ThemeTest::figuresAreTabular()
{
    theme::apply(*qApp, ColorScheme::Light);
    const QFontMetricsF metrics(theme::numberFont());
    for (char digit = '1'; digit <= '9'; ++digit)
        QCOMPARE(metrics.horizontalAdvance(QLatin1Char(digit)), metrics.horizontalAdvance(QLatin1Char('0')));
}

void ThemeTest::markHasEverySize()
{
    QCOMPARE(theme::applicationIcon().availableSizes().size(), 6);
}

QTEST_MAIN(ThemeTest)
#include "theme_test.moc"
