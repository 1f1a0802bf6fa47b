// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/chat_controller.h"
#include "app/conversation_shelf.h"
#include "engine/error.h"
#include "tests/app/fake_backend.h"
#include "tests/app/stored_tokens.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <thread>

namespace bathyscope::app {

namespace {

/// The program without its window; the history is in a folder so that it can be opened again.
struct Fixture {
    explicit Fixture(const QString &folder)
        : history(openHistory(folder))
        , controller(engine, history)
        , shelf(history)
    {
        QObject::connect(&controller, &ChatController::historyChanged, &shelf, &ConversationShelf::refresh);
    }

    void load()
    {
        engine.load(
            [script = script](const Predecessor &, const LoadObserver &) { return makeFakeBackend(script); });
        QTRY_VERIFY(controller.model() != nullptr);
    }

    void askAndWait(const QString &text)
    {
        controller.ask(text);
        QTRY_VERIFY(!controller.isReplying());
    }

    const ui::ChatMessage &last()
    {
        return controller.messages()->message(controller.messages()->rowCount() - 1);
    }

    std::shared_ptr<FakeScript> script = std::make_shared<FakeScript>();
    EngineClient engine;
    HistoryClient history;
    ChatController controller;
    ConversationShelf shelf;
};

std::vector<Message> messagesOf(const Request &request)
{
    return std::get<std::vector<Message>>(request.prompt);
}

} // namespace

class ChatControllerTest : public QObject {
    Q_OBJECT

private slots:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }
    void cleanup() { m_folder.reset(); }

    void tokensStreamIn()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("Six times seven?"));
        QCOMPARE(chat.controller.messages()->rowCount(), 2);
        QCOMPARE(chat.last().reasoning.utf8, std::string("First second third."));
        QCOMPARE(chat.last().answer.utf8, std::string("It is **42**."));
        QCOMPARE(chat.last().state, ui::MessageState::Complete);
        QCOMPARE(chat.last().summary->generatedTokens, 10);
        QCOMPARE(chat.controller.modelOf(chat.last().id)->fingerprint, std::string("f00d"));
    }

    void earlierRepliesGoInWithoutTheirReasoning()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.controller.setSystemPrompt(QStringLiteral("Be brief."));
        chat.askAndWait(QStringLiteral("one"));
        chat.askAndWait(QStringLiteral("two"));
        const std::vector<Message> expected{{Role::System, "Be brief."},
                                            {Role::User, "one"},
                                            {Role::Assistant, "It is **42**."},
                                            {Role::User, "two"}};
        QCOMPARE(messagesOf(chat.script->requests().back()), expected);
    }

    void stopEndsTheReplyAndKeepsItsText()
    {
        Fixture chat(m_folder->path());
        chat.script->endless = true;
        chat.load();
        chat.controller.ask(QStringLiteral("Go on"));
        QTRY_VERIFY(!chat.last().answer.utf8.empty());
        chat.controller.stop();
        QTRY_VERIFY(!chat.controller.isReplying());
        QCOMPARE(chat.last().state, ui::MessageState::Stopped);
        QCOMPARE(chat.last().summary->finish, FinishReason::Cancelled);
        QCOMPARE(chat.last().summary->generatedTokens, static_cast<int>(chat.last().tokens.size()));
    }

    void regenerateMakesASibling()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("Again?"));
        const MessageId first = chat.last().id;
        chat.script->answer = {"Other"};
        QSignalSpy siblings(&chat.controller, &ChatController::siblingsChanged);
        chat.controller.regenerate(first);
        QTRY_VERIFY(!chat.controller.isReplying());
        QCOMPARE(chat.controller.messages()->rowCount(), 2);
        QVERIFY(chat.last().id != first);
        QCOMPARE(chat.last().answer.utf8, std::string("Other"));
        QCOMPARE(siblings.last(), QVariantList({QVariant::fromValue<MessageId>(chat.last().id), 1, 2}));

        chat.controller.showSibling(chat.last().id, -1);
        QTRY_COMPARE(chat.last().id, first);
        QCOMPARE(chat.last().answer.utf8, std::string("It is **42**."));
    }

    void aForkBeginsWithTheTokensBeforeIt()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("Again?"));
        const MessageId first = chat.last().id;
        const std::vector<TokenId> ids = chat.controller.idsOf(first);
        QVERIFY(chat.controller.objectionToReuse(first).isEmpty());
        chat.controller.fork(first, 3, std::string("else"));
        QCOMPARE(chat.last().tokens.size(), std::size_t(3)); // there before the engine begins
        QTRY_VERIFY(!chat.controller.isReplying());
        const Request request = chat.script->requests().back();
        QCOMPARE(request.replyStart, std::vector<TokenId>(ids.begin(), ids.begin() + 3));
        QCOMPARE(std::get<std::string>(request.forced), std::string("else"));
        QCOMPARE(messagesOf(request), (std::vector<Message>{{Role::User, "Again?"}}));
        const MessageId second = chat.last().id;
        QVERIFY(second != first);
        QCOMPARE(chat.controller.siblingsOf(second), (std::vector<MessageId>{first, second}));
        QVERIFY(chat.last().reasoning.utf8.starts_with("First second thirdFirst"));
        for (std::size_t i = 1; i < chat.last().tokens.size(); ++i)
            QVERIFY(chat.last().tokens[i].seconds >= chat.last().tokens[i - 1].seconds);

        // Both are in the history, whole.
        chat.controller.showSibling(second, -1);
        QTRY_COMPARE(chat.last().id, first);
        QCOMPARE(chat.last().answer.utf8, std::string("It is **42**."));
        chat.controller.showSibling(first, 1);
        QTRY_COMPARE(chat.last().id, second);
        QVERIFY(chat.last().reasoning.utf8.starts_with("First second thirdFirst"));
        QVERIFY(chat.controller.samplingOf(second));
    }

    void aForkOfWhatIsNotThereDoesNothing()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("Again?"));
        const MessageId reply = chat.last().id;
        chat.controller.fork(reply, 1000, std::vector<TokenId>{1});
        chat.controller.fork(reply + 1000, 0, std::vector<TokenId>{1});
        QVERIFY(!chat.controller.isReplying());
        QCOMPARE(chat.last().id, reply);
        QVERIFY(!chat.controller.objectionToReuse(reply + 1000).isEmpty());
    }

    void regenerateWhileARunningReplyStopsItFirst()
    {
        Fixture chat(m_folder->path());
        chat.script->endless = true;
        chat.load();
        chat.controller.ask(QStringLiteral("Go on"));
        QTRY_VERIFY(!chat.last().answer.utf8.empty());
        const MessageId first = chat.last().id;
        chat.script->endless = false;
        chat.controller.regenerate(first);
        QTRY_VERIFY(chat.last().id != first && !chat.controller.isReplying());
        QCOMPARE(chat.last().state, ui::MessageState::Complete);
    }

    void editAsksAnewBesideTheOldQuestion()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("old"));
        const MessageId old = chat.controller.messages()->message(0).id;
        QSignalSpy siblings(&chat.controller, &ChatController::siblingsChanged);
        chat.controller.edit(old, QStringLiteral("new"));
        QTRY_VERIFY(!chat.controller.isReplying());
        QCOMPARE(chat.controller.messages()->rowCount(), 2);
        QCOMPARE(chat.controller.messages()->message(0).text, std::string("new"));
        QCOMPARE(siblings.first().at(2).toInt(), 2);
        QCOMPARE(messagesOf(chat.script->requests().back()), (std::vector<Message>{{Role::User, "new"}}));
    }

    void anErrorIsShownAndTheProgramGoesOn()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.script->failure = "prompt: expected at most 100 tokens, found 200";
        chat.askAndWait(QStringLiteral("long"));
        QCOMPARE(chat.last().state, ui::MessageState::Failed);
        QCOMPARE(chat.last().error, QString::fromStdString(chat.script->failure));
        chat.script->failure.clear();
        chat.askAndWait(QStringLiteral("short"));
        QCOMPARE(chat.last().state, ui::MessageState::Complete);
    }

    void aModelThatCannotBeLoadedLeavesTheOldOne()
    {
        Fixture chat(m_folder->path());
        chat.load();
        QSignalSpy failed(&chat.engine, &EngineClient::loadFailed);
        chat.engine.load([](const Predecessor &, const LoadObserver &) -> std::unique_ptr<Backend> {
            throw Error("config.json: missing");
        });
        QTRY_COMPARE(failed.count(), 1);
        QCOMPARE(chat.controller.model()->fingerprint, std::string("f00d"));
        chat.askAndWait(QStringLiteral("Still there?"));
        QCOMPARE(chat.last().state, ui::MessageState::Complete);
    }

    void loadingTellsHowFarItIsAndCanBeCancelled()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("First"));
        QSignalSpy progress(&chat.engine, &EngineClient::loadProgress);
        QSignalSpy failed(&chat.engine, &EngineClient::loadFailed);
        chat.engine.load([](const Predecessor &, const LoadObserver &observer) -> std::unique_ptr<Backend> {
            observer.progress({.done = 1, .total = 4});
            while (!observer.stop.stop_requested())
                std::this_thread::yield();
            throw LoadCancelled();
        });
        QTRY_COMPARE(progress.count(), 1);
        QCOMPARE(progress.at(0).at(0).value<LoadProgress>(), (LoadProgress{.done = 1, .total = 4}));
        chat.engine.cancelLoads();
        QTRY_COMPARE(failed.count(), 1);
        QVERIFY(failed.at(0).at(0).value<LoadFailed>().cancelled);
        QVERIFY(!failed.at(0).at(0).value<LoadFailed>().modelGone);
        chat.askAndWait(QStringLiteral("Still there?"));
        QCOMPARE(chat.last().state, ui::MessageState::Complete);
    }

    void switchingModelsKeepsTheConversation()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("First"));
        const ConversationId conversation = chat.controller.conversation();
        const auto other = std::make_shared<FakeScript>();
        QSignalSpy loaded(&chat.engine, &EngineClient::modelLoaded);
        chat.engine.load(
            [other](const Predecessor &, const LoadObserver &) { return makeFakeBackend(other); });
        QTRY_COMPARE(loaded.count(), 1);
        chat.askAndWait(QStringLiteral("Second"));
        QCOMPARE(chat.controller.conversation(), conversation);
        QCOMPARE(chat.controller.messages()->rowCount(), 4);
        const std::vector<Message> asked = messagesOf(other->requests().at(0));
        QCOMPARE(asked.size(), std::size_t(3));
        QCOMPARE(asked.front().content, std::string("First"));
    }

    void withoutAModelAQuestionFails()
    {
        Fixture chat(m_folder->path());
        chat.askAndWait(QStringLiteral("Anybody?"));
        QCOMPARE(chat.last().state, ui::MessageState::Failed);
        QVERIFY(!chat.last().error.isEmpty());
    }

    void reopeningBringsBackAllThatTheInspectorNeeds()
    {
        std::vector<TokenRecord> tokens;
        ConversationId id = 0;
        {
            Fixture chat(m_folder->path());
            chat.load();
            chat.askAndWait(QStringLiteral("Keep this\nand more"));
            tokens = chat.last().tokens;
            id = chat.controller.conversation();
        }
        Fixture chat(m_folder->path());
        chat.shelf.refresh();
        QTRY_VERIFY(chat.shelf.model()->rowOf(id) > 0);
        const QModelIndex row = chat.shelf.model()->index(chat.shelf.model()->rowOf(id));
        QCOMPARE(row.data().toString(), QStringLiteral("Keep this – It is 42."));
        chat.controller.open(id);
        QTRY_COMPARE(chat.controller.conversation(), id);
        QVERIFY(isWhatWasStored(chat.last().tokens, tokens));
        QCOMPARE(chat.last().reasoning.utf8, std::string("First second third."));
        QCOMPARE(chat.last().state, ui::MessageState::Complete);
        const auto model = chat.controller.modelOf(chat.last().id);
        QVERIFY(model != nullptr);
        QCOMPARE(*model->vocabulary, (Vocabulary{"a", "b", "c"}));
        QCOMPARE(model->moeLayers, (std::vector<std::int32_t>{0, 1}));
    }

    void aNewConversationIsStoredWithItsFirstQuestionOnly()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.controller.startNew({});
        QSignalSpy refreshed(&chat.shelf, &ConversationShelf::refreshed);
        chat.shelf.refresh();
        QVERIFY(refreshed.wait());
        QCOMPARE(chat.shelf.model()->rowCount(), 0);
        chat.askAndWait(QStringLiteral("First"));
        QTRY_COMPARE(chat.shelf.model()->rowCount(), 2);
    }

    void removingTheOpenConversationEmptiesTheChat()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("Forget me"));
        QObject::connect(&chat.controller, &ChatController::conversationRemoved, &chat.controller,
                         [&chat] { chat.controller.startNew({}); });
        chat.controller.remove(chat.controller.conversation());
        QTRY_COMPARE(chat.controller.messages()->rowCount(), 0);
        QTRY_COMPARE(chat.shelf.model()->rowCount(), 0);
    }

    void aShortFirstQuestionGetsItsAnswerIntoTheTitle()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("6 * 7?"));
        QTRY_COMPARE(chat.shelf.model()->titleOf(chat.controller.conversation()),
                     QStringLiteral("6 * 7? – It is 42."));
    }

    void aTitleThatTheUserGaveStays()
    {
        Fixture chat(m_folder->path());
        chat.script->endless = true;
        chat.load();
        chat.controller.ask(QStringLiteral("6 * 7?"));
        QTRY_VERIFY(!chat.last().answer.utf8.empty());
        QTRY_COMPARE(chat.shelf.model()->rowCount(), 2);
        QVERIFY(
            chat.shelf.model()->setData(chat.shelf.model()->index(1), QStringLiteral("Mine"), Qt::EditRole));
        chat.controller.stop();
        QTRY_VERIFY(!chat.controller.isReplying());
        QSignalSpy refreshed(&chat.shelf, &ConversationShelf::refreshed);
        chat.shelf.refresh();
        QVERIFY(refreshed.wait());
        QCOMPARE(chat.shelf.model()->titleOf(chat.controller.conversation()), QStringLiteral("Mine"));
    }

    void searchFindsWordsOfAnswersAndOfReasoningWhenAsked()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("What is the answer to all this?"));
        const auto snippet = [&chat] {
            return chat.shelf.model()->index(1).data(ui::ConversationModel::SnippetRole).toString();
        };
        chat.shelf.search(QStringLiteral("42"), false);
        QTRY_COMPARE(snippet(), QStringLiteral("It is **\u000242\u0003**."));
        chat.shelf.search(QStringLiteral("third"), false);
        QTRY_COMPARE(chat.shelf.model()->rowCount(), 1);
        chat.shelf.search(QStringLiteral("third"), true);
        QTRY_COMPARE(snippet(), QStringLiteral("First second \u0002third\u0003."));
    }

    void aFoundMessageOfAnotherBranchIsOpenedOnItsPath()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.script->answer = {"whale"};
        chat.askAndWait(QStringLiteral("What swims there in the sea?"));
        const MessageId whale = chat.last().id;
        chat.script->answer = {"squid"};
        chat.controller.regenerate(whale);
        QTRY_VERIFY(chat.last().id != whale && !chat.controller.isReplying());
        const ConversationId conversation = chat.controller.conversation();
        chat.shelf.search(QStringLiteral("whale"), false);
        const auto hit = [&chat] {
            return chat.shelf.model()->index(1).data(ui::ConversationModel::MessageRole).toLongLong();
        };
        QTRY_COMPARE(hit(), whale);
        QSignalSpy opened(&chat.controller, &ChatController::messageOpened);
        chat.controller.open(conversation, hit());
        QVERIFY(opened.wait());
        QCOMPARE(chat.last().id, whale);
    }

    void conversationsGoIntoFoldersAndStayWhenTheseGo()
    {
        Fixture chat(m_folder->path());
        chat.load();
        chat.askAndWait(QStringLiteral("What swims there in the sea?"));
        const ConversationId id = chat.controller.conversation();
        ui::ConversationModel *list = chat.shelf.model();
        chat.shelf.createFolder(QStringLiteral("Sea"), id);
        const auto folderOf = [&] {
            return list->index(list->rowOf(id)).data(ui::ConversationModel::FolderRole).toLongLong();
        };
        QTRY_COMPARE(static_cast<int>(list->folders().size()), 1);
        const ui::FolderId folder = list->folders().front().id;
        QCOMPARE(folderOf(), folder);
        QVERIFY(list->setData(list->index(0), QStringLiteral("Deep sea"), Qt::EditRole));
        QTRY_COMPARE(list->folders().front().name, QStringLiteral("Deep sea"));
        chat.shelf.moveToFolder(id, 0);
        QTRY_COMPARE(folderOf(), 0);
        chat.shelf.moveToFolder(id, folder);
        QTRY_COMPARE(folderOf(), folder);
        chat.shelf.removeFolder(folder);
        QTRY_VERIFY(list->folders().empty());
        QCOMPARE(folderOf(), 0);
    }

private:
    std::unique_ptr<QTemporaryDir> m_folder;
};

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::ChatControllerTest)
#include "chat_controller_test.moc"
