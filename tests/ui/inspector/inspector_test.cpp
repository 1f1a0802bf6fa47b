// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/candidate_model.h"
#include "ui/inspector/candidate_view.h"
#include "ui/inspector/inspector.h"
#include "ui/inspector/routing_heatmap.h"
#include "ui/inspector/routing_view.h"
#include "ui/inspector/token_page.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QLabel>
#include <QTest>

#include <algorithm>

using namespace bathyscope;
using namespace bathyscope::ui;

class InspectorTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void cleanup();
    void saysWhatToDoWhenNothingIsShown();
    void showsTheSelectedToken();
    void followsTheNewestTokenWhileStreaming();
    void arrowKeysWalkTokens();
    void arrowKeysMoveTheCellOfTheMap();
    void clickAndHoverReadACell();
    void denseLayersHaveNoCells();
    void denseModelSaysSo();
    void oldAnswerUsesItsOwnModel();
    void unavailableSaysWhy();
    void copiesRows();
    void cellsTileTheMap();
    void everythingFocusableHasAName();

private:
    [[nodiscard]] RoutingView *routing() const
    {
        return m_inspector->findChild<TokenPage *>()->findChild<RoutingView *>();
    }
    [[nodiscard]] RoutingHeatmap *map() const { return routing()->heatmap(); }
    [[nodiscard]] QString chosen() const
    {
        const CandidateModel *model = m_inspector->candidates();
        for (int row = 0; row < model->rowCount(); ++row)
            if (model->index(row, 0).data(CandidateModel::KindRole).toInt()
                == static_cast<int>(CandidateModel::Kind::Chosen))
                return model->index(row, CandidateModel::TokenColumn).data().toString();
        return {};
    }
    [[nodiscard]] bool showsText(const QString &part) const
    {
        const auto labels = m_inspector->findChildren<QLabel *>();
        return std::any_of(labels.begin(), labels.end(), [&](const QLabel *label) {
            return label->isVisible() && label->text().contains(part);
        });
    }

    std::unique_ptr<ChatModel> m_chat;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<Inspector> m_inspector;
};

void InspectorTest::init()
{
    theme::apply(*qApp, ColorScheme::Light);
    m_chat = std::make_unique<ChatModel>();
    m_selection = std::make_unique<Selection>();
    m_inspector = std::make_unique<Inspector>(m_chat.get(), m_selection.get());
    m_inspector->setModel(test::fakeModel());
    m_inspector->resize(468, 1500);
    m_inspector->show();
    m_inspector->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_inspector.get()));
}

void InspectorTest::cleanup()
{
    m_inspector.reset();
}

void InspectorTest::saysWhatToDoWhenNothingIsShown()
{
    QVERIFY(showsText(QStringLiteral("Click a token in the chat")));
    m_selection->setToken(TokenPosition{99, 0}); // of no message
    QVERIFY(showsText(QStringLiteral("Click a token in the chat")));
    QVERIFY(!m_inspector->shownToken());
}

void InspectorTest::showsTheSelectedToken()
{
    m_chat->appendMessage(test::fakeReply(5, 20));
    m_selection->setToken(TokenPosition{5, 2});
    QCOMPARE(chosen(), QStringLiteral("2"));
    QVERIFY(showsText(QStringLiteral("Token 3 of 20 · reasoning")));
    m_selection->setToken(TokenPosition{5, 3}); // not among the candidates
    QCOMPARE(chosen(), QStringLiteral("tok300"));
    m_selection->setToken(TokenPosition{5, 20}); // one past the end
    QVERIFY(showsText(QStringLiteral("Click a token in the chat")));
    m_selection->setToken(TokenPosition{5, 19});
    QCOMPARE(m_inspector->candidates()->rowCount(), 21);
}

void InspectorTest::followsTheNewestTokenWhileStreaming()
{
    m_chat->appendMessage(test::fakeReply(5, 0));
    m_chat->appendTokens(5, test::fakeTokens(3));
    QTRY_VERIFY(m_inspector->shownToken() == (TokenPosition{5, 2}));
    m_chat->appendTokens(5, test::fakeTokens(4));
    QTRY_VERIFY(m_inspector->shownToken() == (TokenPosition{5, 6}));
    m_selection->setToken(TokenPosition{5, 1});
    m_chat->appendTokens(5, test::fakeTokens(4));
    QTRY_VERIFY(showsText(QStringLiteral("Token 2 of 11")));
    m_chat->setMessages({});
    QVERIFY(!m_inspector->shownToken());
}

void InspectorTest::arrowKeysWalkTokens()
{
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_selection->setToken(TokenPosition{5, 1});
    auto *table = m_inspector->findChild<CandidateTable *>();
    table->setFocus();
    QTest::keyClick(table, Qt::Key_Right);
    QVERIFY(m_selection->token() == (TokenPosition{5, 2}));
    for (int i = 0; i < 5; ++i)
        QTest::keyClick(table, Qt::Key_Right);
    QVERIFY(m_selection->token() == (TokenPosition{5, 3}));
    map()->setFocus();
    QTest::keyClick(map(), Qt::Key_Left, Qt::AltModifier);
    QVERIFY(m_selection->token() == (TokenPosition{5, 2}));
}

void InspectorTest::arrowKeysMoveTheCellOfTheMap()
{
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_selection->setToken(TokenPosition{5, 1});
    map()->setFocus();
    QTest::keyClick(map(), Qt::Key_Down);
    QVERIFY(map()->cell() == (RoutingHeatmap::Cell{1, 0})); // layer 0 is dense
    QTest::keyClick(map(), Qt::Key_Up);
    QVERIFY(map()->cell() == (RoutingHeatmap::Cell{1, 0}));
    QTest::keyClick(map(), Qt::Key_Down);
    QTest::keyClick(map(), Qt::Key_Right);
    QVERIFY(map()->cell() == (RoutingHeatmap::Cell{2, 1}));
    QVERIFY(routing()->readout().startsWith(QStringLiteral("Layer 2 · expert 1 · ")));
    QVERIFY(m_selection->token() == (TokenPosition{5, 1})); // the tokens stay
}

void InspectorTest::clickAndHoverReadACell()
{
    m_chat->appendMessage(test::fakeReply(5, 40));
    m_selection->setToken(TokenPosition{5, 1});
    const TokenRecord &record = m_chat->message(0).tokens[1];
    const ExpertChoice choice = record.experts[4]; // the first one of the second MoE layer
    const RoutingHeatmap::Cell cell{2, choice.expert};
    QTest::mouseClick(map(), Qt::LeftButton, {}, map()->cellRect(cell).center());
    QVERIFY(map()->cell() == cell);
    const QString weight = QString::number(static_cast<double>(choice.weight), 'f', 3);
    QVERIFY(routing()->readout().contains(
        QStringLiteral("expert %1 · weight %2 · ").arg(choice.expert).arg(weight)));
    QTest::mouseMove(map(), map()->cellRect({7, 31}).center());
    QTRY_VERIFY(routing()->readout().startsWith(QStringLiteral("Layer 7 · expert 31")));
}

void InspectorTest::denseLayersHaveNoCells()
{
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_selection->setToken(TokenPosition{5, 1});
    QVERIFY(!map()->cellAt(map()->cellRect({0, 5}).center()));
    QVERIFY(map()->cellAt(map()->cellRect({1, 5}).center()));
}

void InspectorTest::denseModelSaysSo()
{
    m_inspector->setModel(test::fakeModel({.experts = 0}));
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_selection->setToken(TokenPosition{5, 1});
    QVERIFY(showsText(QStringLiteral("Fake is a dense model")));
    QVERIFY(!map()->isVisible());
    QCOMPARE(m_inspector->candidates()->rowCount(), 21);
}

void InspectorTest::oldAnswerUsesItsOwnModel()
{
    auto old = std::make_shared<ModelInfo>(test::fakeModel());
    auto vocabulary = std::make_shared<Vocabulary>(*old->vocabulary);
    (*vocabulary)['8'] = "eight";
    old->vocabulary = vocabulary;
    m_inspector->setModelProvider(
        [old](MessageId id) { return id == 5 ? old : std::shared_ptr<const ModelInfo>(); });
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_chat->appendMessage(test::fakeReply(6, 4));
    const CandidateModel *model = m_inspector->candidates();
    m_selection->setToken(TokenPosition{5, 1});
    QCOMPARE(model->index(0, CandidateModel::TokenColumn).data().toString(), QStringLiteral("eight"));
    m_selection->setToken(TokenPosition{6, 1});
    QCOMPARE(model->index(0, CandidateModel::TokenColumn).data().toString(), QStringLiteral("8"));
}

void InspectorTest::unavailableSaysWhy()
{
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_selection->setToken(TokenPosition{5, 1});
    m_inspector->setUnavailable(QStringLiteral("This server sends no probabilities."));
    QVERIFY(showsText(QStringLiteral("This server sends no probabilities.")));
    m_inspector->setUnavailable({});
    QCOMPARE(chosen(), QStringLiteral("1"));
}

void InspectorTest::copiesRows()
{
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_selection->setToken(TokenPosition{5, 1});
    auto *table = m_inspector->findChild<CandidateTable *>();
    table->copyRows();
    QCOMPARE(QGuiApplication::clipboard()->text().count(QLatin1Char('\n')), 22);
    table->selectRow(0);
    table->setFocus();
    QTest::keyClick(table, Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QGuiApplication::clipboard()->text().count(QLatin1Char('\n')), 2);
}

void InspectorTest::cellsTileTheMap()
{
    RoutingHeatmap heatmap;
    heatmap.setShape(61, {3, 4, 60}, 256);
    for (const int width : {228, 436, 468, 1000}) {
        heatmap.resize(width, heatmap.sizeHint().height());
        for (int expert = 0; expert < 256; ++expert) {
            const QRect rect = heatmap.cellRect({60, expert});
            if (heatmap.cellRect({60, expert + 1}).left() == rect.left())
                continue; // narrower than a pixel
            QVERIFY(heatmap.cellAt(rect.topLeft()) == (RoutingHeatmap::Cell{60, expert}));
            QVERIFY(heatmap.cellAt(rect.bottomRight()) == (RoutingHeatmap::Cell{60, expert}));
        }
        QVERIFY(!heatmap.cellAt(QPoint(width, 3)));
        QVERIFY(!heatmap.cellAt(QPoint(30, heatmap.height())));
    }
}

void InspectorTest::everythingFocusableHasAName()
{
    m_chat->appendMessage(test::fakeReply(5, 4));
    m_selection->setToken(TokenPosition{5, 1});
    for (auto *widget : m_inspector->findChildren<QWidget *>())
        if ((widget->focusPolicy() & Qt::TabFocus) != 0 && widget->isVisible()
            && widget->focusProxy() == nullptr)
            QVERIFY2(!widget->accessibleName().isEmpty() || widget->property("text").isValid(),
                     widget->metaObject()->className());
}

QTEST_MAIN(InspectorTest)
#include "inspector_test.moc"
