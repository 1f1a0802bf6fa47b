// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/window/main_window.h"

#include "ui/chat/composer.h"
#include "ui/inspector/inspector.h"
#include "ui/panels/sampling_panel.h"
#include "ui/theme/theme.h"

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QLineEdit>
#include <QListView>
#include <QSet>
#include <QSignalSpy>
#include <QTest>
#include <QTimer>
#include <QToolButton>

namespace bathyscope::ui {

namespace {

struct Fixture {
    Fixture()
        : window(&chat, &selection, &conversations)
    {
        window.resize(1440, 900);
        window.show();
        window.activateWindow();
        // Shortcuts work in the active window only.
        static_cast<void>(QTest::qWaitForWindowActive(&window));
    }

    void addReply(const std::string &answer)
    {
        ChatMessage question;
        question.id = 1;
        question.text = "Why?";
        chat.appendMessage(question);
        ChatMessage reply;
        reply.id = 2;
        reply.role = bathyscope::Role::Assistant;
        TokenRecord token;
        token.bytes = answer;
        reply.append(std::move(token));
        chat.appendMessage(std::move(reply));
    }

    ChatModel chat;
    Selection selection;
    ConversationModel conversations;
    MainWindow window;
};

} // namespace

class MainWindowTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { theme::apply(*qApp, ColorScheme::Light); }

    void shortcutsAreUniqueAndReachable()
    {
        Fixture fixture;
        QSet<QString> seen;
        for (const QAction *action : fixture.window.actions()) {
            const QString keys = action->shortcut().toString();
            QVERIFY2(keys.isEmpty() || !seen.contains(keys), qPrintable(keys));
            seen.insert(keys);
        }
        QVERIFY(seen.contains(QStringLiteral("Ctrl+N")));
        QVERIFY(seen.contains(QStringLiteral("F1")));
    }

    void columnsComeAndGoByKey()
    {
        Fixture fixture;
        QVERIFY(fixture.window.inspector()->isVisible());
        QTest::keyClick(&fixture.window, Qt::Key_I, Qt::ControlModifier);
        QVERIFY(!fixture.window.inspector()->isVisible());
        QTest::keyClick(&fixture.window, Qt::Key_I, Qt::ControlModifier);
        QVERIFY(fixture.window.inspector()->isVisible());
        QTest::keyClick(&fixture.window, Qt::Key_B, Qt::ControlModifier);
        QVERIFY(!fixture.window.conversations()->isVisible());
        QVERIFY(!fixture.window.sampling()->isVisible());
        QTest::keyClick(&fixture.window, Qt::Key_P, Qt::ControlModifier);
        QVERIFY(fixture.window.sampling()->isVisible());
    }

    void aNarrowWindowDoesWithoutTheConversations()
    {
        Fixture fixture;
        fixture.window.resize(900, 600);
        QTRY_VERIFY(!fixture.window.conversations()->isVisible());
        QCOMPARE(fixture.window.size(), QSize(900, 600));
        fixture.window.resize(1440, 900);
        QTRY_VERIFY(fixture.window.conversations()->isVisible());
    }

    void layoutIsRemembered()
    {
        QByteArray layout;
        {
            Fixture fixture;
            QTest::keyClick(&fixture.window, Qt::Key_I, Qt::ControlModifier);
            layout = fixture.window.saveLayout();
        }
        Fixture fixture;
        fixture.window.restoreLayout(layout);
        QVERIFY(!fixture.window.inspector()->isVisible());
        fixture.window.restoreLayout("nonsense");
        QVERIFY(!fixture.window.inspector()->isVisible());
    }

    void escapeStopsOnlyARunningReply()
    {
        Fixture fixture;
        QSignalSpy stopped(&fixture.window, &MainWindow::stopRequested);
        QTest::keyClick(&fixture.window, Qt::Key_Escape);
        QCOMPARE(stopped.count(), 0);
        fixture.window.setReplying(true);
        QTest::keyClick(&fixture.window, Qt::Key_Escape);
        QCOMPARE(stopped.count(), 1);
    }

    void commandsActOnTheLastReply()
    {
        Fixture fixture;
        QSignalSpy again(&fixture.window, &MainWindow::regenerateRequested);
        QTest::keyClick(&fixture.window, Qt::Key_R, Qt::ControlModifier);
        QCOMPARE(again.count(), 0);
        fixture.addReply("Because.");
        QTest::keyClick(&fixture.window, Qt::Key_R, Qt::ControlModifier);
        QCOMPARE(again.count(), 1);
        QTest::keyClick(&fixture.window, Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier);
        QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("Because."));
        QTest::keyClick(&fixture.window, Qt::Key_E, Qt::ControlModifier);
        QCOMPARE(fixture.window.composer()->text(), QStringLiteral("Why?"));
    }

    void searchWaitsForTheLastKey()
    {
        Fixture fixture;
        QSignalSpy search(fixture.window.conversations(), &ConversationList::searchRequested);
        QTest::keyClick(&fixture.window, Qt::Key_F, Qt::ControlModifier);
        auto *field = fixture.window.conversations()->findChild<QLineEdit *>();
        QTRY_VERIFY(field->hasFocus());
        QTest::keyClicks(field, QStringLiteral("42"));
        QVERIFY(search.wait());
        QCOMPARE(search.count(), 1);
        QCOMPARE(search.first(), QVariantList({QStringLiteral("42"), false}));
        auto *reasoning = fixture.window.conversations()->findChild<QCheckBox *>();
        QVERIFY(reasoning->isVisible());
        QTest::keyClick(reasoning, Qt::Key_Space);
        QVERIFY(search.wait());
        QCOMPARE(search.last(), QVariantList({QStringLiteral("42"), true}));
        QTest::keyClick(field, Qt::Key_Escape);
        QVERIFY(field->text().isEmpty());
        QVERIFY(!reasoning->isVisible());
    }

    void returnOpensAConversation()
    {
        Fixture fixture;
        ConversationEntry entry;
        entry.id = 5;
        entry.title = QStringLiteral("Primes");
        entry.updated = QDateTime::currentDateTime();
        fixture.conversations.setConversations({entry}, {}, QDate::currentDate());
        QSignalSpy opened(fixture.window.conversations(), &ConversationList::openRequested);
        auto *view = fixture.window.conversations()->findChild<QListView *>();
        view->setCurrentIndex(fixture.conversations.index(1));
        QTest::keyClick(view, Qt::Key_Return);
        QCOMPARE(opened.count(), 1);
        QCOMPARE(opened.first().first().value<ConversationId>(), 5);
    }

    void foldersOpenAndCloseByKeyAndKeepTheOpenConversationMarked()
    {
        Fixture fixture;
        ConversationEntry entry;
        entry.id = 5;
        entry.title = QStringLiteral("Primes");
        entry.updated = QDateTime::currentDateTime();
        ConversationEntry filed = entry;
        filed.id = 6;
        filed.folder = 9;
        fixture.conversations.setConversations({entry, filed}, {{9, QStringLiteral("Numbers")}},
                                               QDate::currentDate());
        fixture.window.conversations()->setCurrent(5);
        auto *view = fixture.window.conversations()->findChild<QListView *>();
        const int open = fixture.conversations.rowCount();
        view->selectionModel()->setCurrentIndex(fixture.conversations.index(0),
                                                QItemSelectionModel::NoUpdate);
        QTest::keyClick(view, Qt::Key_Return);
        QCOMPARE(fixture.conversations.rowCount(), open - 1);
        QCOMPARE(view->currentIndex().row(), 0);
        QCOMPARE(view->selectionModel()->selectedIndexes().size(), 1);
        QCOMPARE(view->selectionModel()->selectedIndexes().front().data().toString(),
                 QStringLiteral("Primes"));
        QTest::keyClick(view, Qt::Key_Return);
        QCOMPARE(fixture.conversations.rowCount(), open);
    }

    void aStorageProblemStaysUntilItIsSolved()
    {
        Fixture fixture;
        fixture.window.setStorageProblem(QStringLiteral("disk full"));
        fixture.window.showError(QStringLiteral("another"));
        for (auto *button : fixture.window.findChildren<QToolButton *>()) {
            if (button->text() == QStringLiteral("Dismiss") && button->isVisible())
                QTest::mouseClick(button, Qt::LeftButton);
        }
        QCOMPARE(fixture.window.storageProblem(), QStringLiteral("disk full"));
        QVERIFY(fixture.window.shownError().isEmpty());
        // Closing asks; here the answer is to stay.
        QTimer::singleShot(0, &fixture.window,
                           [] { QTest::keyClick(QApplication::activeModalWidget(), Qt::Key_Escape); });
        QVERIFY(!fixture.window.close());
        fixture.window.setStorageProblem({});
        QVERIFY(fixture.window.storageProblem().isEmpty());
        QVERIFY(fixture.window.close());
    }

    void aWrongClockIsToldUntilItIsRight()
    {
        Fixture fixture;
        fixture.window.setClockProblem(QStringLiteral("it is yesterday"));
        QCOMPARE(fixture.window.clockProblem(), QStringLiteral("it is yesterday"));
        fixture.window.setClockProblem({});
        QVERIFY(fixture.window.clockProblem().isEmpty());
        QVERIFY(fixture.window.close()); // nothing would be lost: it does not ask
    }

    void anErrorStaysUntilItIsDismissed()
    {
        Fixture fixture;
        QVERIFY(fixture.window.shownError().isEmpty());
        fixture.window.showError(QStringLiteral("config.json: <b>missing</b>"));
        QCOMPARE(fixture.window.shownError(), QStringLiteral("config.json: <b>missing</b>"));
        for (auto *button : fixture.window.findChildren<QToolButton *>()) {
            if (button->text() == QStringLiteral("Dismiss"))
                QTest::mouseClick(button, Qt::LeftButton);
        }
        QVERIFY(fixture.window.shownError().isEmpty());
    }

    void loadingShowsBytesAndCanBeCancelled()
    {
        Fixture fixture;
        MainWindow &window = fixture.window;
        QSignalSpy cancelled(&window, &MainWindow::cancelLoadRequested);
        QTest::keyClick(&window, Qt::Key_Escape);
        QCOMPARE(cancelled.size(), 0);
        window.setLoading(QStringLiteral("Some Model"), 1'200'000'000, 8'000'000'000);
        QToolButton *cancel = nullptr;
        bool told = false;
        for (QToolButton *button : window.topBar()->findChildren<QToolButton *>()) {
            cancel = button->text() == QStringLiteral("Cancel") ? button : cancel;
            told |= button->text() == QStringLiteral("Loading Some Model: 1.2 GB of 8.0 GB");
        }
        QVERIFY(told);
        QVERIFY(cancel != nullptr && cancel->isVisible());
        cancel->click();
        QTest::keyClick(&window, Qt::Key_Escape);
        QCOMPARE(cancelled.size(), 2);
        window.setModel({}, QStringLiteral("Old"));
        QVERIFY(!cancel->isVisible());
        QTest::keyClick(&window, Qt::Key_Escape);
        QCOMPARE(cancelled.size(), 2);
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::MainWindowTest)
#include "main_window_test.moc"
