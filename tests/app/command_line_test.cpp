// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/command_line.h"

#include <QTest>

namespace bathyscope::app {

namespace {

CommandLine parse(const QStringList &arguments)
{
    return parseCommandLine(QStringList{QStringLiteral("bathyscope")} + arguments);
}

} // namespace

class CommandLineTest : public QObject {
    Q_OBJECT

private slots:
    void allOptionsAreRead()
    {
        const CommandLine line =
            parse({"--prompt",      "a",       "--prompt",       "b", "--color", "dark",
                   "--size",        "900x600", "--threads",      "2", "--seed",  "18446744073709551615",
                   "--temperature", "0.5",     "--select-token", "3", "--model", "/m",
                   "--profile",     "/p"});
        QVERIFY(!line.exitCode);
        QCOMPARE(line.options.prompts, QStringList({"a", "b"}));
        QVERIFY(line.options.scheme == ui::ColorScheme::Dark);
        QCOMPARE(line.options.size, QSize(900, 600));
        QCOMPARE(*line.options.threads, 2);
        QCOMPARE(*line.options.seed, 18446744073709551615U);
        QCOMPARE(*line.options.temperature, 0.5F);
        QCOMPARE(*line.options.selectToken, 3);
        QVERIFY(!line.options.quitAfterAnswer);
    }

    void offscreenPromptsAreGreedyUnlessTold()
    {
        QCOMPARE(*parse({"--offscreen", "--prompt", "a"}).options.temperature, 0.0F);
        QCOMPARE(*parse({"--offscreen", "--prompt", "a", "--temperature", "1"}).options.temperature, 1.0F);
        QVERIFY(!parse({"--prompt", "a"}).options.temperature);
        QVERIFY(parse({"--offscreen", "--prompt", "a"}).options.quitAfterAnswer);
    }

    void badValuesAreRefused_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("unknown option") << QStringList{"--colour", "dark"};
        QTest::newRow("colour") << QStringList{"--color", "purple"};
        QTest::newRow("size") << QStringList{"--size", "900"};
        QTest::newRow("size of nothing") << QStringList{"--size", "0x600"};
        QTest::newRow("threads") << QStringList{"--threads", "-1"};
        QTest::newRow("temperature") << QStringList{"--temperature", "nan"};
        QTest::newRow("positional") << QStringList{"hello"};
    }

    void badValuesAreRefused()
    {
        QFETCH(QStringList, arguments);
        const CommandLine line = parse(arguments);
        QCOMPARE(line.exitCode.value_or(0), 2);
        QVERIFY(!line.output.isEmpty());
    }

    void helpAndVersion()
    {
        QCOMPARE(*parse({"--help"}).exitCode, 0);
        QVERIFY(parse({"--help"}).output.contains("--offscreen"));
        QVERIFY(parse({"--version"}).output.startsWith("bathyscope "));
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::CommandLineTest)
#include "command_line_test.moc"
