// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/library/download_page.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QTreeWidget>

namespace bathyscope::ui {

namespace {

using State = DownloadEntry::State;

struct Fixture {
    Fixture()
    {
        page.resize(1000, 600);
        page.setRoom(5'000'000'000);
        page.show();
        page.activateWindow();
        static_cast<void>(QTest::qWaitForWindowActive(&page));
    }

    [[nodiscard]] QTreeWidget *list(const char *name) const
    {
        for (QTreeWidget *each : page.findChildren<QTreeWidget *>())
            if (each->accessibleName() == QLatin1String(name))
                return each;
        return nullptr;
    }

    [[nodiscard]] QPushButton *button(const char *text) const
    {
        for (QPushButton *each : page.findChildren<QPushButton *>())
            if (each->text() == QLatin1String(text))
                return each;
        return nullptr;
    }

    [[nodiscard]] bool shows(const QString &text) const
    {
        const auto labels = page.findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(), [&](const QLabel *label) {
            return label->isVisible() && label->text().contains(text);
        });
    }

    DownloadPage page;
};

DownloadEntry download(const char *id, State state, qint64 done, double speed = 0)
{
    return {QString::fromLatin1(id), QStringLiteral("o/n · Q4_0"), state, done, 1'000'000'000, speed, {}};
}

} // namespace

class DownloadPageTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { theme::apply(*qApp, ColorScheme::Light); }

    void searchesByKey()
    {
        Fixture f;
        QVERIFY(f.shows(QStringLiteral("Nothing is sent before you do")));
        QSignalSpy asked(&f.page, &DownloadPage::searchRequested);
        auto *search = f.page.findChild<QLineEdit *>();
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(asked.size(), 0);
        QTest::keyClicks(search, QStringLiteral(" qwen "));
        QTest::keyClick(search, Qt::Key_Return);
        QCOMPARE(asked.at(0).at(0).toString(), QStringLiteral("qwen"));
        f.page.setResults({});
        QVERIFY(f.shows(QStringLiteral("no model of that name")));
    }

    void aResultShowsItsVersions()
    {
        Fixture f;
        QSignalSpy chosen(&f.page, &DownloadPage::repositoryRequested);
        f.page.setResults({{QStringLiteral("a/b"), 1200, false}, {QStringLiteral("c/d"), 0, true}});
        QTreeWidget *results = f.list("Models that were found");
        QVERIFY(results->topLevelItem(1)->text(0).contains(QStringLiteral("needs a token")));
        results->setFocus();
        QTest::keyClick(results, Qt::Key_Down);
        QTest::keyClick(results, Qt::Key_Down);
        QVERIFY(!chosen.isEmpty());
        QCOMPARE(chosen.last().at(0).toString(),
                 results->currentItem()->text(0).section(QLatin1Char(' '), 0, 0));

        QVERIFY(!f.button("Download")->isEnabled());
        const HubChoice small{QStringLiteral("Q4_0"), {QStringLiteral("x.gguf")}, 4'000'000'000};
        f.page.setChoices(QStringLiteral("a/b"),
                          {small, {QStringLiteral("F32"), {QStringLiteral("y.gguf")}, 9'000'000'000}});
        QTreeWidget *choices = f.list("Versions of the model");
        QCOMPARE(choices->topLevelItem(0)->text(1), QStringLiteral("in memory"));
        QCOMPARE(choices->topLevelItem(1)->text(1), QStringLiteral("too large"));
        QSignalSpy wanted(&f.page, &DownloadPage::downloadRequested);
        choices->setCurrentItem(choices->topLevelItem(0));
        f.button("Download")->click();
        QCOMPARE(wanted.size(), 1);
        QCOMPARE(wanted.at(0).at(1).value<HubChoice>(), small);
        f.page.setChoices(QStringLiteral("c/d"), {});
        QVERIFY(f.shows(QStringLiteral("neither GGUF files nor safetensors")));
        QVERIFY(!f.button("Download")->isEnabled());
    }

    void downloadsArePausedGoOnAndGo()
    {
        Fixture f;
        f.page.setDownloads({download("1", State::Running, 250'000'000, 5'000'000)});
        QTreeWidget *list = f.list("Downloads");
        QCOMPARE(list->topLevelItem(0)->text(3), QStringLiteral("5.0 MB/s · 3 min left"));
        QCOMPARE(list->findChild<QProgressBar *>()->value(), 250);
        QSignalSpy paused(&f.page, &DownloadPage::pauseRequested);
        QSignalSpy resumed(&f.page, &DownloadPage::resumeRequested);
        QSignalSpy removed(&f.page, &DownloadPage::removeRequested);
        f.button("Pause")->click();
        QCOMPARE(paused.at(0).at(0).toString(), QStringLiteral("1"));
        f.page.setDownloads({download("1", State::Paused, 250'000'000)});
        f.button("Go on")->click();
        DownloadEntry failed = download("1", State::Failed, 250'000'000);
        failed.problem = QStringLiteral("The disk is full.");
        f.page.setDownloads({failed});
        QVERIFY(f.shows(QStringLiteral("The disk is full.")));
        f.button("Try again")->click();
        QCOMPARE(resumed.size(), 2);
        f.page.setDownloads({download("1", State::Done, 1'000'000'000)});
        QVERIFY(!f.button("Pause")->isEnabled());
        f.button("Remove")->click();
        QCOMPARE(removed.size(), 1);
        f.page.setDownloads({});
        QVERIFY(!list->isVisible());
    }

    void timeLeft()
    {
        QCOMPARE(formatTimeLeft(100, 0), QString());
        QCOMPARE(formatTimeLeft(100, 10), QStringLiteral("10 s left"));
        QCOMPARE(formatTimeLeft(6000, 10), QStringLiteral("10 min left"));
        QCOMPARE(formatTimeLeft(72'000, 10), QStringLiteral("2 h left"));
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::DownloadPageTest)
#include "download_page_test.moc"
