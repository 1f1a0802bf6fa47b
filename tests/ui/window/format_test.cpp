// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/format.h"

#include <QLocale>
#include <QTest>

namespace bathyscope::ui {

class FormatTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { QLocale::setDefault(QLocale::c()); }

    void numbersAreShort()
    {
        QCOMPARE(formatParameters(17'400'000), QStringLiteral("17 M"));
        QCOMPARE(formatParameters(1'540'000'000), QStringLiteral("1.5 B"));
        QCOMPARE(formatParameters(671'000'000'000), QStringLiteral("671 B"));
        QCOMPARE(formatBytes(999), QStringLiteral("999 B"));
        QCOMPARE(formatBytes(165'000), QStringLiteral("165 kB"));
        QCOMPARE(formatSpeed(2140), QStringLiteral("2140 tokens/s"));
        QCOMPARE(formatSpeed(4.2), QStringLiteral("4.2 tokens/s"));
    }

    void modelsAreNamedByTitleSizeAndType()
    {
        ModelInfo model;
        model.name = "dir";
        model.parameters = 17'400'000;
        model.dtype = "FP8";
        QCOMPARE(formatModel(model, QStringLiteral("Built-in")), QStringLiteral("Built-in · 17 M · FP8"));
        QCOMPARE(formatModel(model, {}), QStringLiteral("dir · 17 M · FP8"));
    }

    void titlesAreOneShortLine()
    {
        QCOMPARE(titleFrom(QStringLiteral("  Two\n lines")), QStringLiteral("Two"));
        const QString title = titleFrom(QStringLiteral("word ").repeated(40));
        QVERIFY(title.size() <= 61);
        QVERIFY(title.endsWith(QStringLiteral("word…")));
        QCOMPARE(titleFrom(QStringLiteral("25 * 37?"), QStringLiteral("\n## It is **925**.\nSure.")),
                 QStringLiteral("25 * 37? – It is 925."));
        QCOMPARE(titleFrom(QStringLiteral("Why?"), QString()), QStringLiteral("Why?"));
        const QString asked = QStringLiteral("A question that says it all by itself");
        QCOMPARE(titleFrom(asked, QStringLiteral("Yes.")), asked);
        QVERIFY(titleFrom(QStringLiteral("Why?"), QStringLiteral("word ").repeated(40)).size() <= 61);
        QCOMPARE(titleFrom(QString(200, QLatin1Char('x'))).size(), 61);
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::FormatTest)
#include "format_test.moc"
