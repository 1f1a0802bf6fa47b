// SPDX-License-Identifier: GPL-3.0-or-later
//
// The whole program with the built-in model, used by events.
#include "app/program.h"
#include "tests/app/stored_tokens.h"
#include "ui/chat/chat_view.h"
#include "ui/chat/composer.h"
#include "ui/inspector/candidate_model.h"
#include "ui/inspector/inspector.h"

#include <QAction>
#include <QPlainTextEdit>
#include <QSignalSpy>
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
        QVERIFY_EXCEPTION_THROWN(openHistory(folder.path()), storage::ProfileInUse);
    }
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::ProgramTest)
#include "program_test.moc"
