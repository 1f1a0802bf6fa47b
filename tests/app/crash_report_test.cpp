// SPDX-License-Identifier: GPL-3.0-or-later
//
// Crashes the program and reads what it leaves behind.
#include "app/crash_report.h"

#include "app/instance_server.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <array>
#include <csignal>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

namespace bathyscope::app {

namespace {

QByteArray contentOf(const QString &name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// In a process of its own, as it ends it. Returns the signal that did.
int signalThatEnds(void (*fault)(), const QString &report)
{
    const pid_t child = ::fork();
    if (child == 0) {
        writeReportOnCrash(report);
        fault();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

void throwUncaught()
{
    throw std::runtime_error("my secret words");
}

QStringList arguments(const QString &profile)
{
    return {QStringLiteral("--offscreen"), QStringLiteral("--profile"), profile};
}

} // namespace

class CrashReportTest : public QObject {
    Q_OBJECT

private slots:
    void everyFaultLeavesAReport()
    {
        struct Fault {
            int signal;
            void (*raise)();
        };
        const std::array faults{
            Fault{SIGSEGV, [] { ::raise(SIGSEGV); }}, Fault{SIGABRT, [] { std::abort(); }},
            Fault{SIGABRT, []() noexcept { throwUncaught(); }}, Fault{SIGFPE, [] { ::raise(SIGFPE); }}};
        for (const Fault &fault : faults) {
            const QTemporaryDir folder;
            const QString report = crashReportFile(folder.path());
            QCOMPARE(signalThatEnds(fault.raise, report), fault.signal);
            const QByteArray content = contentOf(report);
            QVERIFY2(content.startsWith("Bathyscope " BATHYSCOPE_VERSION "\n"), content.constData());
            QVERIFY(content.contains(fault.signal == SIGABRT       ? "SIGABRT"
                                         : fault.signal == SIGSEGV ? "SIGSEGV"
                                                                   : "SIGFPE"));
            QVERIFY2(content.count("[0x") >= 3, content.constData());
            QVERIFY(!content.contains("secret"));
            // The next crash does not write over it.
            QVERIFY(signalThatEnds([] { ::raise(SIGSEGV); }, report) != 0);
            QCOMPARE(contentOf(report), content);
        }
    }

    void aReportIsTakenOnce()
    {
        const QTemporaryDir folder;
        const QString report = crashReportFile(folder.path());
        QVERIFY(takeCrashReport(report).isEmpty());
        QStringList taken;
        for (int crash = 0; crash < 2; ++crash) {
            QVERIFY(signalThatEnds([] { std::abort(); }, report) != 0);
            taken << takeCrashReport(report);
            QVERIFY(contentOf(taken.last()).contains("SIGABRT"));
            QVERIFY(takeCrashReport(report).isEmpty());
        }
        QVERIFY2(taken[0] != taken[1], "two crashes within a second");
    }

    void theProgramWritesItAndKeepsAllTextsOutOfIt()
    {
        const QTemporaryDir folder;
        QProcess asked;
        asked.start(QStringLiteral(BATHYSCOPE_PROGRAM),
                    arguments(folder.path())
                        << QStringLiteral("--prompt") << QStringLiteral("What is 6421 + 1?"));
        QVERIFY(asked.waitForFinished(60'000));
        QProcess crashed;
        crashed.start(QStringLiteral(BATHYSCOPE_PROGRAM), arguments(folder.path()));
        // Who answers has come to its event loop.
        QTRY_VERIFY_WITH_TIMEOUT(raiseOtherInstance(folder.path()), 30'000);
        QVERIFY(::kill(static_cast<pid_t>(crashed.processId()), SIGSEGV) == 0);
        QVERIFY(crashed.waitForFinished(30'000));
        QCOMPARE(crashed.exitStatus(), QProcess::CrashExit);
        const QByteArray content = contentOf(crashReportFile(folder.path()));
        QVERIFY2(content.contains("SIGSEGV"), content.constData());
        QVERIFY(!content.contains("6421"));
        QProcess next;
        next.start(QStringLiteral(BATHYSCOPE_PROGRAM),
                   arguments(folder.path())
                       << QStringLiteral("--prompt") << QStringLiteral("What is 2 + 2?"));
        QVERIFY(next.waitForFinished(60'000));
        QCOMPARE(next.exitCode(), 0);
        QCOMPARE(QDir(folder.path()).entryList({QStringLiteral("crash-report-*.txt")}).size(), 1);
    }
};

} // namespace bathyscope::app

QTEST_GUILESS_MAIN(bathyscope::app::CrashReportTest)
#include "crash_report_test.moc"
