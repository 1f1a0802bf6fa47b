// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/chat_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

ChatMessage question(MessageId id, std::string text)
{
    ChatMessage message;
    message.id = id;
    message.text = std::move(text);
    return message;
}

ChatMessage waiting(MessageId id)
{
    ChatMessage message;
    message.id = id;
    message.role = bathyscope::Role::Assistant;
    message.state = MessageState::Waiting;
    return message;
}

TokenRecord record(Section section, std::string bytes)
{
    TokenRecord token;
    token.section = section;
    token.bytes = std::move(bytes);
    return token;
}

} // namespace

class ChatModelTest : public QObject {
    Q_OBJECT

private slots:
    void keepsTheRulesOfModels();
    void answersAtTheEdges();
    void joinsTokensThatCutACharacter();
    void announcesABatchOnce();
    void endsAReply();
    void removesWithAllBelow();
    void ignoresUnknownMessages();
};

void ChatModelTest::keepsTheRulesOfModels()
{
    ChatModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.appendMessage(question(1, "one"));
    model.appendMessage(waiting(2));
    model.appendTokens(2, {record(Section::Answer, "x")});
    model.finish(2, MessageState::Complete, {});
    model.removeFrom(1);
    std::vector<ChatMessage> others;
    others.push_back(question(7, "other"));
    model.setMessages(std::move(others));
    QCOMPARE(model.rowCount(), 1);
    QCOMPARE(model.rowOf(7), 0);
}

void ChatModelTest::answersAtTheEdges()
{
    ChatModel model;
    QVERIFY(!model.data(model.index(0), ChatModel::TextRole).isValid());
    model.appendMessage(question(1, "first"));
    model.appendMessage(question(2, "last"));
    QCOMPARE(model.data(model.index(0), ChatModel::TextRole).toString(), QStringLiteral("first"));
    QCOMPARE(model.data(model.index(1), Qt::DisplayRole).toString(), QStringLiteral("last"));
    QCOMPARE(model.data(model.index(1), ChatModel::IdRole).toLongLong(), 2);
    QVERIFY(!model.index(2).isValid());
    QVERIFY(!model.data(model.index(2), ChatModel::TextRole).isValid());
    QCOMPARE(model.rowCount(model.index(0)), 0);
}

void ChatModelTest::joinsTokensThatCutACharacter()
{
    ChatModel model;
    model.appendMessage(waiting(1));
    model.appendTokens(1,
                       {record(Section::Reasoning, "a"), record(Section::Marker, "</think>"),
                        record(Section::Answer, "\xC3")});
    model.appendTokens(1, {record(Section::Answer, "\xA9")});
    QCOMPARE(model.data(model.index(0), ChatModel::TextRole).toString(), QStringLiteral("é"));
    QCOMPARE(model.data(model.index(0), ChatModel::ReasoningRole).toString(), QStringLiteral("a"));
    QCOMPARE(*model.message(0).answer.tokenAt(1), 3U);
    QCOMPARE(model.message(0).tokens.size(), std::size_t{4});
}

void ChatModelTest::announcesABatchOnce()
{
    ChatModel model;
    model.appendMessage(waiting(1));
    QSignalSpy tokens(&model, &ChatModel::tokensAppended);
    QSignalSpy changes(&model, &ChatModel::dataChanged);
    model.appendTokens(1, {record(Section::Answer, "a"), record(Section::Answer, "b")});
    QCOMPARE(tokens.count(), 1);
    QCOMPARE(changes.count(), 1);
    QCOMPARE(tokens[0][1].toInt(), 0);
    QCOMPARE(tokens[0][2].toInt(), 2);
    QCOMPARE(model.message(0).state, MessageState::Streaming);
}

void ChatModelTest::endsAReply()
{
    ChatModel model;
    model.appendMessage(waiting(1));
    PrefillProgress progress;
    progress.done = 1;
    progress.total = 2;
    model.setPrefill(1, progress);
    QCOMPARE(model.message(0).prefill->total, 2);
    GenerationSummary summary;
    summary.generatedTokens = 5;
    model.finish(1, MessageState::Failed, summary, QStringLiteral("why"));
    QVERIFY(!model.message(0).prefill);
    QCOMPARE(model.message(0).summary->generatedTokens, 5);
    QCOMPARE(model.message(0).error, QStringLiteral("why"));
    QCOMPARE(model.data(model.index(0), ChatModel::StateRole).toInt(),
             static_cast<int>(MessageState::Failed));
}

void ChatModelTest::removesWithAllBelow()
{
    ChatModel model;
    for (int id = 1; id <= 3; ++id)
        model.appendMessage(question(id, "x"));
    model.removeFrom(3);
    QCOMPARE(model.rowCount(), 3);
    model.removeFrom(1);
    QCOMPARE(model.rowCount(), 1);
    QCOMPARE(model.rowOf(2), -1);
    QVERIFY(model.find(2) == nullptr);
}

void ChatModelTest::ignoresUnknownMessages()
{
    ChatModel model;
    QSignalSpy changes(&model, &ChatModel::dataChanged);
    model.appendTokens(9, {record(Section::Answer, "a")});
    model.setPrefill(9, {});
    model.finish(9, MessageState::Complete, {});
    QCOMPARE(changes.count(), 0);
}

QTEST_MAIN(ChatModelTest)
#include "chat_model_test.moc"
