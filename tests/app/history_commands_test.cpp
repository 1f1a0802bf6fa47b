// SPDX-License-Identifier: GPL-3.0-or-later
//
// The history as a whole in the program's hands: out to files and in again, back to a copy, out of reach,
// newer than the program, and open in another instance.
#include "app/instance_server.h"
#include "app/program.h"
#include "tests/app/fake_backend.h"
#include "tests/app/throws.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QTreeWidget>

#include <thread>

namespace bathyscope::app {

namespace {

QByteArray contentOf(const QString &name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

/// The program with an engine that answers at once.
struct Running {
    explicit Running(const QString &folder, Access access = Access::ReadWrite)
        : program(options(), folder, openHistory(folder, access),
                  [](const std::string &, const LocalBackendOptions &, const Predecessor &,
                     const LoadObserver &) { return makeFakeBackend(std::make_shared<FakeScript>()); })
    {
        program.start();
    }

    static Options options()
    {
        Options options;
        options.offscreen = true;
        options.model = QStringLiteral("/fake");
        return options;
    }

    void ask(const QString &text)
    {
        QTRY_VERIFY(program.controller().model() != nullptr);
        program.controller().ask(text);
        QTRY_VERIFY(!program.controller().isReplying());
        QTRY_VERIFY(!program.shelf().model()->titleOf(program.controller().conversation()).isEmpty());
    }

    [[nodiscard]] int conversations()
    {
        int count = 0;
        const ui::ConversationModel *list = program.shelf().model();
        for (int row = 0; row < list->rowCount(); ++row)
            count += list->index(row).data(ui::ConversationModel::HeadingRole).toBool() ? 0 : 1;
        return count;
    }

    Program program;
};

} // namespace

class HistoryCommandsTest : public QObject {
    Q_OBJECT

private slots:
    void exportsAndImportsAllConversationsWithoutLoss()
    {
        const QTemporaryDir folder;
        const QString file = folder.filePath(QStringLiteral("all.jsonl"));
        const QString again = folder.filePath(QStringLiteral("again.jsonl"));
        {
            Running from(folder.filePath(QStringLiteral("from")));
            from.ask(QStringLiteral("What swims there in the sea?"));
            from.program.controller().startNew({});
            from.ask(QStringLiteral("And what flies above the sea?"));
            from.program.historyCommands().exportTo({file, ui::ExportFormat::JsonLinesWithTraces}, {});
            QTRY_VERIFY(!from.program.window().shownNotice().isEmpty());
            QVERIFY(from.program.window().shownNotice().contains(file));
        }
        Running to(folder.filePath(QStringLiteral("to")));
        to.program.historyCommands().importFrom(file);
        QTRY_COMPARE(to.conversations(), 2);
        QVERIFY(to.program.window().shownNotice().contains(QStringLiteral("2 conversations")));
        to.program.historyCommands().exportTo({again, ui::ExportFormat::JsonLinesWithTraces}, {});
        QTRY_VERIFY(!contentOf(again).isEmpty());
        QCOMPARE(contentOf(again), contentOf(file));
    }

    void exportsForReading()
    {
        const QTemporaryDir folder;
        const QString file = folder.filePath(QStringLiteral("one.md"));
        Running running(folder.path());
        running.ask(QStringLiteral("What swims there in the sea?"));
        running.program.historyCommands().exportTo({file, ui::ExportFormat::Markdown},
                                                   {running.program.controller().conversation()});
        QTRY_COMPARE(
            contentOf(file),
            QByteArray("# What swims there in the sea?\n\n## Question\n\nWhat swims there in the sea?\n\n"
                       "## Answer\n\n> First second third.\n\nIt is **42**.\n"));
        const QString nowhere = folder.filePath(QStringLiteral("no/such/folder.md"));
        running.program.historyCommands().exportTo({nowhere, ui::ExportFormat::Markdown}, {});
        QTRY_VERIFY(running.program.window().shownError().contains(nowhere));
    }

    void aFileThatIsNoConversationIsAnErrorThatNamesIt()
    {
        const QTemporaryDir folder;
        QFile file(folder.filePath(QStringLiteral("diary.jsonl")));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("Dear diary");
        file.close();
        Running running(folder.path());
        running.program.historyCommands().importFrom(file.fileName());
        QTRY_VERIFY(running.program.window().shownError().contains(QStringLiteral("diary.jsonl")));
        QCOMPARE(running.conversations(), 0);
    }

    void restoresABackupAndGoesOn()
    {
        const QTemporaryDir folder;
        Running running(folder.path());
        running.ask(QStringLiteral("What swims there in the sea?"));
        running.program.controller().startNew({});
        QString backup;
        running.program.history().read<bool>([](storage::History &history) { return history.backUpDaily(); },
                                             [](bool) {});
        running.program.history().read<std::vector<storage::Backup>>(
            [](storage::History &history) { return history.backups(); },
            [&](const std::vector<storage::Backup> &all) {
                backup = QString::fromStdString(all.front().file);
            });
        QTRY_VERIFY(!backup.isEmpty());
        running.ask(QStringLiteral("And what flies above the sea?"));
        QTRY_COMPARE(running.conversations(), 2);
        running.program.historyCommands().restore(backup);
        QTRY_COMPARE(running.conversations(), 1);
        QCOMPARE(running.program.controller().messages()->rowCount(), 0);
        running.ask(QStringLiteral("Who lives down there now?"));
        QTRY_COMPARE(running.conversations(), 2);
        QVERIFY(running.program.window().shownError().isEmpty());
    }

    void theRestoreDialogGivesTheChosenCopy()
    {
        ui::RestoreDialog dialog({{QStringLiteral("/a.db"), QStringLiteral("today"), 1000},
                                  {QStringLiteral("/b.db"), QStringLiteral("yesterday"), 900}});
        QCOMPARE(dialog.chosenFile(), QStringLiteral("/a.db"));
        auto *list = dialog.findChild<QTreeWidget *>();
        list->setCurrentItem(list->topLevelItem(1));
        QCOMPARE(dialog.chosenFile(), QStringLiteral("/b.db"));
        QVERIFY(ui::RestoreDialog({}, nullptr).chosenFile().isEmpty());
    }

    void titlesBecomeFileNames()
    {
        QCOMPARE(ui::fileNameFrom(QStringLiteral("25 * 37 / \"x\"?")), QStringLiteral("25 - 37 - -x--"));
        QCOMPARE(ui::fileNameFrom(QStringLiteral("Tiefe: größte")), QStringLiteral("Tiefe- größte"));
        QVERIFY(!ui::fileNameFrom({}).isEmpty());
    }

    void aFolderThatCannotBeUsedIsToldUntilItCan()
    {
        const QTemporaryDir folder;
        const QString profile = folder.filePath(QStringLiteral("profile"));
        QFile inTheWay(profile);
        QVERIFY(inTheWay.open(QIODevice::WriteOnly));
        inTheWay.close();
        {
            Running running(profile);
            QTRY_VERIFY(running.program.window().storageProblem().contains(profile));
            running.ask(QStringLiteral("What swims there in the sea?"));
            QVERIFY(!running.program.window().storageProblem().isEmpty());
            QCOMPARE(running.conversations(), 1);
            QVERIFY(QFile::remove(profile));
            QTRY_VERIFY(running.program.window().storageProblem().isEmpty());
            running.ask(QStringLiteral("Who else lives down there?"));
        }
        Running running(profile);
        QTRY_COMPARE(running.conversations(), 1);
        QTRY_COMPARE(running.program.controller().messages()->rowCount(), 4);
    }

    void aNewerHistoryIsReadOnRequest()
    {
        const QTemporaryDir folder;
        {
            Running running(folder.path());
            running.ask(QStringLiteral("What swims there in the sea?"));
        }
        // SQLite's header: user_version is a big-endian number at 60.
        QFile file(folder.filePath(QStringLiteral("history.db")));
        QVERIFY(file.open(QIODevice::ReadWrite) && file.seek(60));
        file.write(QByteArray::fromHex("00000063"));
        file.close();
        QVERIFY(throws<storage::NewerDatabase>([&] { (void)openHistory(folder.path()); }));
        const QByteArray before = contentOf(file.fileName());
        {
            Running running(folder.path(), Access::ReadOnly);
            QTRY_COMPARE(running.conversations(), 1);
            QTRY_COMPARE(running.program.controller().messages()->rowCount(), 2);
            QTRY_VERIFY(running.program.controller().model() != nullptr);
            running.program.controller().ask(QStringLiteral("Can I go on?"));
            QCOMPARE(running.program.controller().messages()->rowCount(), 2);
            QVERIFY(running.program.window().shownError().isEmpty());
            ui::ConversationModel *list = running.program.shelf().model();
            QVERIFY(list->setData(list->index(1), QStringLiteral("Other"), Qt::EditRole));
            QTRY_VERIFY(running.program.window().shownError().contains(QStringLiteral("reading only")));
        }
        QCOMPARE(contentOf(file.fileName()), before);
    }

    void aSecondStartRaisesTheFirstWindow()
    {
        const QTemporaryDir folder;
        QVERIFY(!raiseOtherInstance(folder.path()));
        {
            const InstanceServer server(folder.path());
            QSignalSpy raised(&server, &InstanceServer::raiseRequested);
            bool answered = false;
            std::thread second([&] { answered = raiseOtherInstance(folder.path() + QStringLiteral("/.")); });
            QTRY_COMPARE(raised.count(), 1);
            QTest::qWait(100);
            second.join();
            QVERIFY(answered);
        }
        QVERIFY(!raiseOtherInstance(folder.path()));
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::HistoryCommandsTest)
#include "history_commands_test.moc"
