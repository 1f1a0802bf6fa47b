// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/chat/chat_view.h"

#include <QAccessible>
#include <QClipboard>
#include <QGuiApplication>
#include <QPushButton>
#include <QScrollBar>
#include <QSignalSpy>
#include <QTest>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

constexpr int settled = 200; ///< ms, more than an opening section takes

ChatMessage question(MessageId id, std::string text)
{
    ChatMessage message;
    message.id = id;
    message.text = std::move(text);
    return message;
}

std::vector<TokenRecord> records(Section section, const std::vector<std::string> &pieces)
{
    std::vector<TokenRecord> result;
    for (const std::string &piece : pieces) {
        TokenRecord record;
        record.section = section;
        record.bytes = piece;
        result.push_back(std::move(record));
    }
    return result;
}

} // namespace

class ChatViewTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void cleanup();
    void clickSelectsToken_data();
    void clickSelectsToken();
    void clickSelectsTokenInReasoning();
    void clickSelectsTokenInRawText();
    void hoverDoesNotSelect();
    void keysWalkTokens();
    void keysWalkLines();
    void walkingOpensReasoning();
    void selectsTokensThatAreNotRendered();
    void reasoningClosesWhenTheAnswerBegins();
    void reasoningStaysAsTheReaderWants();
    void enterTogglesReasoning();
    void followsTheEnd();
    void scrollingAwayStopsFollowing();
    void estimatesDoNotMoveWhatIsRead();
    void copiesAcrossMessages();
    void dragSelectsText();
    void copiesCode();
    void partialCharactersAreHeldBack();
    void linksAreAnnounced();
    void tabWalksActions();
    void actionsAreSignalled();
    void examplesArePicked();
    void survivesRemoval();
    void speaksToAssistiveTechnology();

private:
    void reply(MessageId id, const std::vector<std::string> &reasoning,
               const std::vector<std::string> &answer, bool finished = true);
    void settle() { QTest::qWait(settled); }
    QPoint tokenPoint(MessageId id, int token) { return m_view->tokenRect({id, token}).center(); }
    void clickAction(MessageId id, Action action, int argument = 0);
    [[nodiscard]] int selected() const { return m_selection->token() ? m_selection->token()->token : -1; }

    std::unique_ptr<ChatModel> m_model;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<ChatView> m_view;
};

void ChatViewTest::init()
{
    m_model = std::make_unique<ChatModel>();
    m_selection = std::make_unique<Selection>();
    m_view = std::make_unique<ChatView>(m_model.get(), m_selection.get());
    m_view->resize(700, 500);
    m_view->show();
    QVERIFY(QTest::qWaitForWindowExposed(m_view.get()));
    m_view->setFocus();
}

void ChatViewTest::cleanup()
{
    m_view.reset();
    m_selection.reset();
    m_model.reset();
}

void ChatViewTest::reply(MessageId id, const std::vector<std::string> &reasoning,
                         const std::vector<std::string> &answer, bool finished)
{
    ChatMessage message;
    message.id = id;
    message.role = bathyscope::Role::Assistant;
    message.state = MessageState::Waiting;
    m_model->appendMessage(std::move(message));
    m_model->appendTokens(id, records(Section::Reasoning, reasoning));
    if (!reasoning.empty() && !answer.empty())
        m_model->appendTokens(id, records(Section::Marker, {"</think>"}));
    m_model->appendTokens(id, records(Section::Answer, answer));
    if (finished)
        m_model->finish(id, MessageState::Complete, {});
    settle();
}

void ChatViewTest::clickAction(MessageId id, Action action, int argument)
{
    const QRect rect = m_view->actionRect(id, action, argument);
    QVERIFY(!rect.isEmpty());
    QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, rect.center());
}

void ChatViewTest::clickSelectsToken_data()
{
    QTest::addColumn<QStringList>("answer");
    QTest::addColumn<int>("token");
    QTest::newRow("plain") << QStringList{"one ", "two ", "three"} << 1;
    QTest::newRow("bold") << QStringList{"a **", "bold", "** c"} << 1;
    QTest::newRow("list") << QStringList{"- first\n", "- ", "second", "\n"} << 2;
    QTest::newRow("code") << QStringList{"```\nint", " xyz", ";\n```\n"} << 1;
    QTest::newRow("table") << QStringList{"| a | b |\n|---|---|\n| 1 | ", "value", " |\n"} << 1;
    QTest::newRow("heading") << QStringList{"# ", "Title"} << 1;
    QTest::newRow("quote") << QStringList{"> ", "said"} << 1;
    QTest::newRow("html") << QStringList{"a ", "<b>", "c"} << 1;
    QTest::newRow("entity") << QStringList{"x ", "&amp;", " y"} << 1;
    QTest::newRow("after astral") << QStringList{"\xF0\x9F\x99\x82", " word", "!"} << 1;
}

void ChatViewTest::clickSelectsToken()
{
    QFETCH(QStringList, answer);
    QFETCH(int, token);
    std::vector<std::string> pieces;
    for (const QString &piece : answer)
        pieces.push_back(piece.toStdString());
    reply(1, {}, pieces);
    QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, tokenPoint(1, token));
    QVERIFY(m_selection->token().has_value());
    QCOMPARE(m_selection->token()->message, MessageId{1});
    QCOMPARE(selected(), token);
}

void ChatViewTest::clickSelectsTokenInReasoning()
{
    reply(1, {"let ", "me ", "think"}, {}, false);
    QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, tokenPoint(1, 2));
    QCOMPARE(selected(), 2);
}

void ChatViewTest::clickSelectsTokenInRawText()
{
    reply(1, {}, {"a ", "**", "bold", "**"});
    clickAction(1, Action::ToggleRaw);
    settle();
    QVERIFY(m_view->isRaw(1));
    QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, tokenPoint(1, 3));
    QCOMPARE(selected(), 3);
}

void ChatViewTest::hoverDoesNotSelect()
{
    reply(1, {}, {"one ", "two"});
    QTest::mouseMove(m_view->viewport(), tokenPoint(1, 1));
    settle();
    QCOMPARE(selected(), -1);
}

void ChatViewTest::keysWalkTokens()
{
    reply(1, {}, {"one ", "two ", "three"});
    m_model->appendMessage(question(2, "next"));
    reply(3, {}, {"four"});
    m_selection->setToken(TokenPosition{1, 1});
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QCOMPARE(selected(), 2);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QCOMPARE(m_selection->token()->message, MessageId{3});
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    QCOMPARE(m_selection->token()->message, MessageId{3});
    QTest::keyClick(m_view.get(), Qt::Key_Left);
    QCOMPARE(m_selection->token()->message, MessageId{1});
    QCOMPARE(selected(), 2);
}

void ChatViewTest::keysWalkLines()
{
    reply(1, {}, {"aa ", "bb", "\n", "cc ", "dd", "\n\n", "ee ", "ff"});
    m_selection->setToken(TokenPosition{1, 1});
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QCOMPARE(selected(), 4);
    QTest::keyClick(m_view.get(), Qt::Key_Down);
    QCOMPARE(selected(), 7);
    QTest::keyClick(m_view.get(), Qt::Key_Up);
    QCOMPARE(selected(), 4);
}

void ChatViewTest::walkingOpensReasoning()
{
    reply(1, {"think"}, {"answer"});
    QVERIFY(!m_view->isReasoningOpen(1));
    m_selection->setToken(TokenPosition{1, 2});
    QTest::keyClick(m_view.get(), Qt::Key_Left);
    QCOMPARE(selected(), 0);
    QVERIFY(m_view->isReasoningOpen(1));
    QVERIFY(m_view->viewport()->rect().contains(m_view->tokenRect({1, 0})));
}

void ChatViewTest::selectsTokensThatAreNotRendered()
{
    reply(1, {}, {"a ", "**", "bold", "**"});
    m_selection->setToken(TokenPosition{1, 1});
    const QRect mark = m_view->tokenRect({1, 1});
    const QRect bold = m_view->tokenRect({1, 2});
    QVERIFY(mark.width() <= 2);
    QVERIFY(std::abs(mark.left() - bold.left()) <= 2);
    const QImage image = m_view->viewport()->grab().toImage();
    m_selection->setToken(std::nullopt);
    QVERIFY(image != m_view->viewport()->grab().toImage());
}

void ChatViewTest::reasoningClosesWhenTheAnswerBegins()
{
    reply(1, {"let me think"}, {}, false);
    QVERIFY(m_view->isReasoningOpen(1));
    const int open = m_view->messageRect(0).height();
    m_model->appendTokens(1, records(Section::Answer, {"so"}));
    settle();
    QVERIFY(!m_view->isReasoningOpen(1));
    m_model->finish(1, MessageState::Complete, {});
    settle();
    clickAction(1, Action::ToggleReasoning);
    settle();
    QVERIFY(m_view->isReasoningOpen(1));
    QVERIFY(m_view->messageRect(0).height() > open);
}

void ChatViewTest::reasoningStaysAsTheReaderWants()
{
    reply(1, {"let me think"}, {}, false);
    m_view->setReasoningOpen(1, true);
    m_model->appendTokens(1, records(Section::Answer, {"so"}));
    settle();
    QVERIFY(m_view->isReasoningOpen(1));
}

void ChatViewTest::enterTogglesReasoning()
{
    reply(1, {"think"}, {"answer"});
    m_selection->setToken(TokenPosition{1, 2});
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QVERIFY(m_view->isReasoningOpen(1));
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QVERIFY(!m_view->isReasoningOpen(1));
}

void ChatViewTest::followsTheEnd()
{
    reply(1, {}, {"start\n\n"}, false);
    for (int i = 0; i < 60; ++i) {
        m_model->appendTokens(1, records(Section::Answer, {"another line of text\n\n"}));
        QTest::qWait(2);
    }
    settle();
    QVERIFY(m_view->verticalScrollBar()->maximum() > 0);
    QCOMPARE(m_view->verticalScrollBar()->value(), m_view->verticalScrollBar()->maximum());
}

void ChatViewTest::scrollingAwayStopsFollowing()
{
    std::vector<std::string> lines(60, "a line\n\n");
    reply(1, {}, lines, false);
    m_view->verticalScrollBar()->setValue(100);
    QVERIFY(!m_view->isFollowing());
    const QRect before = m_view->tokenRect({1, 10});
    m_model->appendTokens(1, records(Section::Answer, lines));
    settle();
    QCOMPARE(m_view->verticalScrollBar()->value(), 100);
    QCOMPARE(m_view->tokenRect({1, 10}), before);
    auto *button = m_view->findChild<QPushButton *>(QStringLiteral("toEnd"));
    QVERIFY(button->isVisible());
    QTest::mouseClick(button, Qt::LeftButton);
    QVERIFY(m_view->isFollowing());
    QCOMPARE(m_view->verticalScrollBar()->value(), m_view->verticalScrollBar()->maximum());
    QVERIFY(!button->isVisible());
}

void ChatViewTest::estimatesDoNotMoveWhatIsRead()
{
    for (int id = 1; id < 60; id += 2) {
        m_model->appendMessage(question(id, "what?"));
        ChatMessage message;
        message.id = id + 1;
        message.role = bathyscope::Role::Assistant;
        for (const char *text :
             {"# head\n\n", "- a\n- b\n- c\n\n", "| a |\n|---|\n| b |\n\n", "```\nx\n```\n"})
            message.append(std::move(records(Section::Answer, {text})[0]));
        m_model->appendMessage(std::move(message));
    }
    settle();
    QScrollBar *bar = m_view->verticalScrollBar();
    while (bar->value() > 0) {
        // Scrolling up by a step moves what is seen by just that step.
        const TokenPosition seen{m_model->message(m_model->rowCount() - 1).id, 0};
        const int before = m_view->messageRect(m_model->rowOf(seen.message)).bottom();
        const int value = bar->value();
        const int distance = bar->maximum() - value;
        bar->setValue(std::max(value - 60, 0));
        const int moved = m_view->messageRect(m_model->rowOf(seen.message)).bottom() - before;
        if (bar->value() > 0)
            QCOMPARE(moved, 60);
        QVERIFY(bar->maximum() - bar->value() > distance);
    }
}

void ChatViewTest::copiesAcrossMessages()
{
    m_model->appendMessage(question(1, "how?"));
    reply(2, {}, {"**so** ", "and\n\n", "- so"});
    QTest::keyClick(m_view.get(), Qt::Key_A, Qt::ControlModifier);
    QTest::keyClick(m_view.get(), Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("how?\n\nso and\n• so"));
    clickAction(2, Action::Copy);
    QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("**so** and\n\n- so"));
}

void ChatViewTest::dragSelectsText()
{
    reply(1, {}, {"one ", "two ", "three"});
    const QRect first = m_view->tokenRect({1, 0});
    const QRect last = m_view->tokenRect({1, 1});
    QTest::mousePress(m_view->viewport(), Qt::LeftButton, {}, QPoint(first.left() + 1, first.center().y()));
    QTest::mouseMove(m_view->viewport(), last.center());
    QMouseEvent move(QEvent::MouseMove, QPointF(last.right() - 2, last.center().y()),
                     m_view->viewport()->mapToGlobal(QPointF(last.center())), Qt::LeftButton, Qt::LeftButton,
                     Qt::NoModifier);
    QCoreApplication::sendEvent(m_view->viewport(), &move);
    QTest::mouseRelease(m_view->viewport(), Qt::LeftButton, {}, QPoint(last.right() - 2, last.center().y()));
    QVERIFY(m_view->selectedText().startsWith(QStringLiteral("one two")));
    QCOMPARE(m_selection->range(), std::optional(TokenRange{1, 0, 1}));
}

void ChatViewTest::copiesCode()
{
    reply(1, {}, {"text\n\n```py\n", "a = 1\nb = 2\n", "```\n"});
    clickAction(1, Action::CopyCode, 2);
    QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("a = 1\nb = 2"));
}

void ChatViewTest::partialCharactersAreHeldBack()
{
    reply(1, {}, {"a\xF0\x9F"}, false);
    m_view->selectAll();
    QCOMPARE(m_view->selectedText(), QStringLiteral("a"));
    m_model->appendTokens(1, records(Section::Answer, {"\x99\x82"}));
    settle();
    m_view->selectAll();
    QCOMPARE(m_view->selectedText(), QStringLiteral("a🙂"));
    m_model->appendTokens(1, records(Section::Answer, {"\xF0\x9F"}));
    m_model->finish(1, MessageState::Stopped, {});
    settle();
    m_view->selectAll();
    QVERIFY(m_view->selectedText().startsWith(QStringLiteral("a🙂\uFFFD")));
}

void ChatViewTest::linksAreAnnounced()
{
    reply(1, {}, {"see ", "[here](https://example.org/a?b=c)"});
    QSignalSpy activated(m_view.get(), &ChatView::linkActivated);
    QSignalSpy hovered(m_view.get(), &ChatView::linkHovered);
    QTest::mouseMove(m_view->viewport(), tokenPoint(1, 1));
    QTRY_COMPARE(hovered.count(), 1);
    QCOMPARE(hovered[0][0].toString(), QStringLiteral("https://example.org/a?b=c"));
    QTest::mouseClick(m_view->viewport(), Qt::LeftButton, {}, tokenPoint(1, 1));
    QCOMPARE(activated.count(), 1);
    QCOMPARE(activated[0][0].toUrl(), QUrl(QStringLiteral("https://example.org/a?b=c")));
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QCOMPARE(activated.count(), 2);
}

void ChatViewTest::tabWalksActions()
{
    m_model->appendMessage(question(1, "how?"));
    reply(2, {"think"}, {"so"});
    QSignalSpy edited(m_view.get(), &ChatView::editRequested);
    QSignalSpy regenerated(m_view.get(), &ChatView::regenerateRequested);
    QTest::keyClick(m_view.get(), Qt::Key_Tab); // copy
    QTest::keyClick(m_view.get(), Qt::Key_Tab); // edit
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QCOMPARE(edited.count(), 1);
    QTest::keyClick(m_view.get(), Qt::Key_Tab); // reasoning
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QVERIFY(m_view->isReasoningOpen(2));
    QTest::keyClick(m_view.get(), Qt::Key_Tab); // copy
    QTest::keyClick(m_view.get(), Qt::Key_Tab); // regenerate
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QCOMPARE(regenerated.count(), 1);
    QTest::keyClick(m_view.get(), Qt::Key_Backtab);
    QTest::keyClick(m_view.get(), Qt::Key_Backtab); // reasoning
    QTest::keyClick(m_view.get(), Qt::Key_Return);
    QVERIFY(!m_view->isReasoningOpen(2));
}

void ChatViewTest::actionsAreSignalled()
{
    reply(1, {}, {"so"});
    m_view->setSiblings(1, 1, 3);
    settle();
    QSignalSpy sibling(m_view.get(), &ChatView::siblingRequested);
    QSignalSpy regenerated(m_view.get(), &ChatView::regenerateRequested);
    clickAction(1, Action::PreviousSibling);
    clickAction(1, Action::NextSibling);
    clickAction(1, Action::Regenerate);
    QCOMPARE(sibling.count(), 2);
    QCOMPARE(sibling[0][1].toInt(), -1);
    QCOMPARE(sibling[1][1].toInt(), 1);
    QCOMPARE(regenerated.count(), 1);
}

void ChatViewTest::examplesArePicked()
{
    m_view->setExamples({QStringLiteral("What is 2 & 3?")});
    settle();
    QSignalSpy picked(m_view.get(), &ChatView::examplePicked);
    auto *chip = m_view->findChild<QPushButton *>(QStringLiteral("example"));
    QVERIFY(chip->isVisible());
    QTest::mouseClick(chip, Qt::LeftButton);
    QCOMPARE(picked[0][0].toString(), QStringLiteral("What is 2 & 3?"));
    m_model->appendMessage(question(1, "x"));
    settle();
    QVERIFY(!chip->isVisible());
}

void ChatViewTest::survivesRemoval()
{
    m_model->appendMessage(question(1, "how?"));
    reply(2, {}, {"so"});
    m_selection->setToken(TokenPosition{2, 0});
    m_view->selectAll();
    m_model->removeFrom(1);
    QTest::keyClick(m_view.get(), Qt::Key_Right);
    m_view->viewport()->grab();
    m_model->setMessages({});
    m_view->selectAll();
    m_view->copy();
    m_view->viewport()->grab();
    settle();
    QVERIFY(m_view->selectedText().isEmpty());
}

void ChatViewTest::speaksToAssistiveTechnology()
{
    m_model->appendMessage(question(1, "how?"));
    reply(2, {}, {"**so**"});
    QAccessibleInterface *view = QAccessible::queryAccessibleInterface(m_view.get());
    QVERIFY(view != nullptr);
    QCOMPARE(view->role(), QAccessible::List);
    QCOMPARE(view->childCount(), 2);
    QCOMPARE(view->child(0)->text(QAccessible::Name), QStringLiteral("You"));
    QCOMPARE(view->child(1)->text(QAccessible::Value), QStringLiteral("**so**"));
    QCOMPARE(view->indexOfChild(view->child(1)), 1);
    QVERIFY(view->child(2) == nullptr);
}

QTEST_MAIN(ChatViewTest)
#include "chat_view_test.moc"
