// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole program with the built-in model, used by events.
#include "app/model_locator.h"
#include "app/program.h"
#include "tests/app/stored_tokens.h"
#include "tests/app/throws.h"
#include "tests/engine/reference_data.h"
#include "ui/chat/chat_view.h"
#include "ui/chat/composer.h"
#include "ui/inspector/candidate_model.h"
#include "ui/inspector/inspector.h"
#include "ui/library/local_models_page.h"

#include <QAction>
#include <QFileInfo>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

namespace bathyscope::app {

namespace {

Options greedy()
{
    Options options;
    options.offscreen = true;
    options.temperature = 0.0F;
    return options;
}

std::unique_ptr<Program> startProgram(const QString &folder)
{
    auto program = std::make_unique<Program>(greedy(), folder, openHistory(folder));
    program->start();
    return program;
}

void typePrompt(Program &program, const QString &text)
{
    auto *field = program.window().composer()->findChild<QPlainTextEdit *>();
    field->setFocus();
    QTest::keyClicks(field, text);
    QTest::keyClick(field, Qt::Key_Return);
}

const ui::ChatMessage &lastMessage(Program &program)
{
    const ui::ChatModel *messages = program.controller().messages();
    return messages->message(messages->rowCount() - 1);
}

} // namespace

class ProgramTest : public QObject {
    Q_OBJECT

private slots:
    void askCloseReopenInspect()
    {
        const QTemporaryDir folder;
        std::vector<TokenRecord> tokens;
        {
            const auto program = startProgram(folder.path());
            QTRY_VERIFY_WITH_TIMEOUT(program->controller().model() != nullptr, 20000);
            typePrompt(*program, QStringLiteral("What is 25 * 37?"));
            QVERIFY(program->controller().isReplying());
            QTRY_VERIFY_WITH_TIMEOUT(!program->controller().isReplying(), 60000);
            QCOMPARE(QString::fromStdString(lastMessage(*program).answer.utf8).trimmed(),
                     QStringLiteral("25 * 37 = **925**"));
            tokens = lastMessage(*program).tokens;
        }
        const auto program = startProgram(folder.path());
        QTRY_COMPARE(program->controller().messages()->rowCount(), 2);
        QVERIFY(isWhatWasStored(lastMessage(*program).tokens, tokens));
        const ui::TokenPosition position{lastMessage(*program).id, 20};
        program->controller().selection()->setToken(position);
        ui::Inspector *inspector = program->window().inspector();
        QTRY_VERIFY(inspector->shownToken() == position);
        // The twenty best and the rest.
        QCOMPARE(inspector->candidates()->rowCount(), 21);
    }

    void aBrokenModelIsAnErrorInTheWindow()
    {
        const QTemporaryDir folder;
        const auto program = startProgram(folder.path());
        QTRY_VERIFY_WITH_TIMEOUT(program->controller().model() != nullptr, 20000);
        const std::string before = program->controller().model()->fingerprint;
        program->openModel(folder.path());
        QTRY_VERIFY(!program->window().shownError().isEmpty());
        QVERIFY(program->window().shownError().contains(folder.path()));
        QCOMPARE(program->controller().model()->fingerprint, before);
        typePrompt(*program, QStringLiteral("Is 37 prime?"));
        QTRY_VERIFY_WITH_TIMEOUT(!program->controller().isReplying(), 60000);
        QVERIFY(QString::fromStdString(lastMessage(*program).answer.utf8).contains(QStringLiteral("prime")));
    }

    void aSecondInstanceIsToldSo()
    {
        const QTemporaryDir folder;
        const auto first = openHistory(folder.path());
        QVERIFY(throws<storage::ProfileInUse>([&] { (void)openHistory(folder.path()); }));
    }

    void aModelIsOpenedFromTheLibrary()
    {
        const QTemporaryDir home; // no models of the one who runs the test
        qputenv("HOME", home.path().toUtf8());
        const QTemporaryDir folder;
        const QString path = QString::fromStdString(testData) + QStringLiteral("/gguf/qwen3-tiny.gguf");
        Settings(folder.path()).setLibraryFolders({QFileInfo(path).absolutePath()});
        const auto program = startProgram(folder.path());
        QTRY_VERIFY_WITH_TIMEOUT(program->controller().model() != nullptr, 20000);
        const auto actions = program->window().actions();
        const auto show =
            std::ranges::find(actions, QKeySequence(QStringLiteral("Ctrl+M")), &QAction::shortcut);
        QVERIFY(show != actions.end());
        (*show)->trigger();
        ui::LibraryWindow *window = program->library().window();
        QVERIFY(window != nullptr && window->isVisible());
        ui::LocalModelsPage *page = window->localModels();
        QTRY_VERIFY(page->model()->rowOf(path) >= 0);
        QTRY_COMPARE_WITH_TIMEOUT(page->model()->entry(page->model()->rowOf(path)).fit,
                                  ui::LibraryEntry::Fit::Ram, 60'000);
        QTRY_VERIFY(page->model()->rowOf(builtinModelDirectory()) >= 0);
        page->select(path);
        QTest::keyClick(page->findChild<QTableView *>(), Qt::Key_Return);
        QVERIFY(!window->isVisible());
        QTRY_COMPARE_WITH_TIMEOUT(program->controller().model()->name, std::string("qwen3-tiny"), 20000);
        QCOMPARE(program->window().composer()->findChild<QPlainTextEdit *>()->placeholderText(),
                 QStringLiteral("Ask qwen3-tiny"));
        QCOMPARE(Settings(folder.path()).lastModel(), path);
    }

    void aModelIsConvertedInTheLibrary()
    {
        const QTemporaryDir home;
        qputenv("HOME", home.path().toUtf8());
        const QTemporaryDir folder;
        const QString path = QString::fromStdString(testData) + QStringLiteral("/qwen2-tiny");
        Settings(folder.path()).setLibraryFolders({path});
        const auto program = startProgram(folder.path());
        program->library().show();
        ui::LocalModelsPage *page = program->library().window()->localModels();
        QTRY_VERIFY(page->model()->rowOf(path) >= 0);
        QTRY_VERIFY(page->model()->entry(page->model()->rowOf(path)).convertible);
        page->select(path);
        const auto convert = [page] {
            const auto buttons = page->window()->findChildren<QPushButton *>();
            for (QPushButton *button : buttons)
                if (button->isVisible() && button->text() == QStringLiteral("Convert"))
                    button->click();
        };
        for (QPushButton *button : page->findChildren<QPushButton *>())
            if (button->text() == QStringLiteral("Convert to FP8…"))
                button->click();
        convert();
        const QString copy = folder.filePath(QStringLiteral("models/qwen2-tiny-FP8"));
        QTRY_VERIFY(page->model()->rowOf(copy) >= 0);
        QTRY_COMPARE(page->model()->entry(page->model()->rowOf(copy)).dtype, QStringLiteral("FP8"));
        QVERIFY(program->window().shownNotice().contains(QStringLiteral("qwen2-tiny-FP8")));
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::ProgramTest)
#include "program_test.moc"
