// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/plain_table.h"
#include "ui/library/library_window.h"
#include "ui/library/local_models_page.h"
#include "ui/theme/theme.h"
#include "ui/window/dialogs.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

namespace bathyscope::ui {

namespace {

using Fit = LibraryEntry::Fit;

LibraryEntry entry(const QString &title, Fit fit)
{
    LibraryEntry result;
    result.path = QStringLiteral("/models/") + title;
    result.title = title;
    result.place = QStringLiteral("Hub cache");
    result.fit = fit;
    return result;
}

std::vector<LibraryEntry> someModels()
{
    LibraryEntry mixture = entry(QStringLiteral("Qwen3-30B-A3B-Q4_K_M"), Fit::Ram);
    mixture.architecture = QStringLiteral("qwen3_moe");
    mixture.dtype = QStringLiteral("Q4_K");
    mixture.parameters = 30'500'000'000;
    mixture.activeParameters = 3'300'000'000;
    mixture.bytes = 18'600'000'000;
    mixture.contextLength = 40960;
    mixture.speed = 14.2;
    mixture.verdict = QStringLiteral("Runs here on the CPU.");
    LibraryEntry dense = entry(QStringLiteral("R1-Distill-Qwen-1.5B"), Fit::Ram);
    dense.architecture = QStringLiteral("qwen2");
    dense.bytes = 3'550'000'000;
    dense.speed = 12'345;
    dense.convertible = true;
    LibraryEntry unknown = entry(QStringLiteral("gemma-2-9b"), Fit::CannotRun);
    unknown.verdict = QStringLiteral("Models of this kind do not run.");
    unknown.bytes = 900;
    return {mixture, dense, unknown};
}

template <typename Widget>
Widget *named(const QWidget &window, const QString &name)
{
    for (Widget *widget : window.findChildren<Widget *>())
        if (widget->accessibleName() == name)
            return widget;
    return nullptr;
}

QPushButton *button(const QWidget &window, const QString &text)
{
    for (QPushButton *widget : window.findChildren<QPushButton *>())
        if (widget->text() == text)
            return widget;
    return nullptr;
}

bool shows(const QWidget &window, const QString &text)
{
    const auto labels = window.findChildren<QLabel *>();
    return std::any_of(labels.begin(), labels.end(), [&](const QLabel *label) {
        return label->isVisible() && label->text().contains(text);
    });
}

struct Fixture {
    Fixture()
    {
        window.show();
        window.activateWindow();
        static_cast<void>(QTest::qWaitForWindowActive(&window));
        page->setEntries(someModels());
    }

    LibraryWindow window;
    LocalModelsPage *page = window.localModels();
    PlainTable *table = window.findChild<PlainTable *>();
    QLineEdit *search = named<QLineEdit>(window, QStringLiteral("Search models"));
};

} // namespace

class LibraryWindowTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { theme::apply(*qApp, ColorScheme::Light); }

    void entriesAreAModel()
    {
        LibraryModel model;
        const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QCOMPARE(model.rowCount(), 0);
        model.setEntries(someModels());
        QCOMPARE(model.rowCount(), 3);
        QCOMPARE(model.index(0, LibraryModel::ParametersColumn).data().toString(), QStringLiteral("31 B"));
        QCOMPARE(model.index(0, LibraryModel::ActiveColumn).data().toString(), QStringLiteral("3.3 B"));
        QCOMPARE(model.index(0, LibraryModel::SizeColumn).data().toString(), QStringLiteral("19 GB"));
        QCOMPARE(model.index(0, LibraryModel::ContextColumn).data().toString(), QStringLiteral("40,960"));
        QCOMPARE(model.index(0, LibraryModel::SpeedColumn).data().toString(),
                 QStringLiteral("≈ 14 tokens/s"));
        QCOMPARE(model.index(1, LibraryModel::SpeedColumn).data().toString(),
                 QStringLiteral("≈ 12,000 tokens/s"));
        QCOMPARE(model.index(2, LibraryModel::FitColumn).data().toString(), QStringLiteral("cannot run"));
        QCOMPARE(model.index(2, LibraryModel::ParametersColumn).data().toString(), QString());
        QVERIFY(!model.data(model.index(3, 0)).isValid());
        QVERIFY(!model.headerData(LibraryModel::ColumnCount, Qt::Horizontal, Qt::DisplayRole).isValid());

        LibraryEntry more = model.entry(2);
        more.fit = Fit::Ram;
        QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
        model.update(more);
        QCOMPARE(changed.size(), 1);
        QCOMPARE(model.index(2, LibraryModel::FitColumn).data().toString(), QStringLiteral("in memory"));
        more.path = QStringLiteral("/elsewhere");
        model.update(more);
        QCOMPARE(changed.size(), 1);
    }

    void sizesAreOrderedAsNumbers()
    {
        Fixture fixture;
        fixture.table->sortByColumn(LibraryModel::SizeColumn, Qt::DescendingOrder);
        const QAbstractItemModel *shown = fixture.table->model();
        QCOMPARE(shown->index(0, 0).data().toString(), QStringLiteral("Qwen3-30B-A3B-Q4_K_M"));
        QCOMPARE(shown->index(2, 0).data().toString(), QStringLiteral("gemma-2-9b"));
    }

    void searchesWhileTyping()
    {
        Fixture fixture;
        QTest::keyClicks(fixture.search, QStringLiteral("qwen2"));
        QCOMPARE(fixture.table->model()->rowCount(), 1);
        QVERIFY(shows(fixture.window, QStringLiteral("R1-Distill-Qwen-1.5B")));
        QSignalSpy opened(fixture.page, &LocalModelsPage::openRequested);
        QTest::keyClick(fixture.search, Qt::Key_Return);
        QCOMPARE(opened.size(), 1);
        QTest::keyClicks(fixture.search, QStringLiteral("zzz"));
        QVERIFY(!fixture.table->isVisible());
        QVERIFY(shows(fixture.window, QStringLiteral("No model matches")));
    }

    void opensByKey()
    {
        Fixture fixture;
        QSignalSpy opened(fixture.page, &LocalModelsPage::openRequested);
        fixture.page->select(QStringLiteral("/models/R1-Distill-Qwen-1.5B"));
        fixture.table->setFocus();
        QTest::keyClick(fixture.table, Qt::Key_Return);
        QCOMPARE(opened.size(), 1);
        QCOMPARE(opened.at(0).at(0).toString(), QStringLiteral("/models/R1-Distill-Qwen-1.5B"));
        QVERIFY(fixture.window.isVisible());
    }

    void whatCannotRunSaysWhyAndDoesNotOpen()
    {
        Fixture fixture;
        QSignalSpy opened(fixture.page, &LocalModelsPage::openRequested);
        fixture.page->select(QStringLiteral("/models/gemma-2-9b"));
        QVERIFY(shows(fixture.window, QStringLiteral("Models of this kind do not run.")));
        QVERIFY(!button(fixture.window, QStringLiteral("Open"))->isEnabled());
        fixture.table->setFocus();
        QTest::keyClick(fixture.table, Qt::Key_Return);
        QCOMPARE(opened.size(), 0);
    }

    void theSelectionSurvivesALook()
    {
        Fixture fixture;
        fixture.page->select(QStringLiteral("/models/gemma-2-9b"));
        std::vector<LibraryEntry> entries = someModels();
        entries.insert(entries.begin(), entry(QStringLiteral("a-new-one"), Fit::Unknown));
        fixture.page->setEntries(entries);
        QVERIFY(shows(fixture.window, QStringLiteral("Models of this kind do not run.")));
        LibraryEntry more = entries.back();
        more.verdict = QStringLiteral("Now it does.");
        fixture.page->model()->update(more);
        QVERIFY(shows(fixture.window, QStringLiteral("Now it does.")));
    }

    void offersConversionWhereItIsPossible()
    {
        Fixture fixture;
        QPushButton *convert = button(fixture.window, QStringLiteral("Convert to FP8…"));
        fixture.page->select(QStringLiteral("/models/R1-Distill-Qwen-1.5B"));
        QVERIFY(convert->isVisible());
        QSignalSpy asked(fixture.page, &LocalModelsPage::convertRequested);
        convert->click();
        QCOMPARE(asked.size(), 1);
        fixture.page->select(QStringLiteral("/models/gemma-2-9b"));
        QVERIFY(!convert->isVisible());
    }

    void anEmptyLibrarySaysWhatToDo()
    {
        Fixture fixture;
        fixture.page->setEntries({});
        QVERIFY(shows(fixture.window, QStringLiteral("add a folder")));
        fixture.page->setSearching(true);
        QVERIFY(shows(fixture.window, QStringLiteral("Looking for models")));
        QVERIFY(!button(fixture.window, QStringLiteral("Open"))->isEnabled());
    }

    void foldersCanBeForgotten()
    {
        Fixture fixture;
        fixture.page->setFolders({QStringLiteral("/data/models")});
        QSignalSpy removed(fixture.page, &LocalModelsPage::removeFolderRequested);
        const QList<QAction *> actions =
            button(fixture.window, QStringLiteral("Folders ▾"))->menu()->actions();
        actions.last()->trigger();
        QCOMPARE(removed.size(), 1);
        QCOMPARE(removed.at(0).at(0).toString(), QStringLiteral("/data/models"));
    }

    void aFileBelongsToItsModel()
    {
        QCOMPARE(modelOfFile(QStringLiteral("/m/x.gguf")), QStringLiteral("/m/x.gguf"));
        QCOMPARE(modelOfFile(QStringLiteral("/m/y/config.json")), QStringLiteral("/m/y"));
        QCOMPARE(modelOfFile(QStringLiteral("/m/y/model-00001-of-00002.safetensors")),
                 QStringLiteral("/m/y"));
        QCOMPARE(modelOfFile(QStringLiteral("/m/sha256-00")), QStringLiteral("/m/sha256-00"));
    }
};

} // namespace bathyscope::ui

QTEST_MAIN(bathyscope::ui::LibraryWindowTest)
#include "library_window_test.moc"
