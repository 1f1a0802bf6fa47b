// SPDX-License-Identifier: GPL-3.0-or-later
//
// The page of the experts by events, inside the inspector.
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/decision_chart.h"
#include "ui/inspector/decision_view.h"
#include "ui/inspector/expert_tokens_model.h"
#include "ui/inspector/experts_page.h"
#include "ui/inspector/heat_legend.h"
#include "ui/inspector/inspector.h"
#include "ui/inspector/layer_load.h"
#include "ui/inspector/plain_table.h"
#include "ui/inspector/routing_heatmap.h"
#include "ui/inspector/routing_view.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QTest>
#include <QToolButton>

#include <algorithm>
#include <cmath>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

/// Answers when it is told to.
class FakeSource : public AnalysisSource {
public:
    using AnalysisSource::AnalysisSource;

    [[nodiscard]] QString objection(MessageId) const override { return {}; }
    std::int64_t ask(MessageId, const AnalysisOptions &options) override
    {
        asked.push_back(options);
        return static_cast<std::int64_t>(asked.size());
    }
    std::int64_t score(const QString &, const AnalysisOptions &) override { return 0; }

    void answer(std::int64_t question, std::vector<RouterDecision> decisions)
    {
        auto analysis = std::make_shared<Analysis>();
        analysis->positions.resize(1);
        analysis->positions[0].decisions = std::move(decisions);
        emit answered(question, analysis);
    }

    std::vector<AnalysisOptions> asked;
};

} // namespace

class ExpertsPageTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void cleanup();
    void wholeReplyCountsEveryToken();
    void keysChooseWhatIsShown();
    void aCellIsSelectedEverywhere();
    void aLabelSelectsItsLayer();
    void columnsFollowTheOrder();
    void aPinnedTokenIsComparedWith();
    void aSiblingIsComparedWith();
    void reasoningMinusAnswer();
    void decisionsAreAskedForOnceATokenAndShown();
    void decisionsSayWhyThereAreNone();
    void tokensOfAnExpertSelectTheirToken();
    void layersSelectTheirBusiestExpert();
    void aDenseModelHasNoDetails();
    void everythingFocusableHasAName();

private:
    [[nodiscard]] ExpertsPage *page() const { return m_inspector->experts(); }
    [[nodiscard]] RoutingView *view() const { return page()->map(); }
    [[nodiscard]] RoutingHeatmap *map() const { return view()->heatmap(); }
    void addReply(MessageId id, int tokens)
    {
        ChatMessage reply = test::fakeReply(id, tokens);
        reply.state = MessageState::Complete;
        m_chat->appendMessage(std::move(reply));
    }
    [[nodiscard]] PlainTable *tableNamed(const QString &name) const
    {
        for (auto *table : page()->findChildren<PlainTable *>())
            if (table->accessibleName().startsWith(name))
                return table;
        return nullptr;
    }
    static void clickRow(PlainTable *table, int row)
    {
        const QRect cell = table->visualRect(table->model()->index(row, 0));
        QTest::mouseClick(table->viewport(), Qt::LeftButton, {}, cell.center());
    }

    std::unique_ptr<ChatModel> m_chat;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<Inspector> m_inspector;
};

void ExpertsPageTest::init()
{
    theme::apply(*qApp, ColorScheme::Light);
    m_chat = std::make_unique<ChatModel>();
    m_selection = std::make_unique<Selection>();
    m_inspector = std::make_unique<Inspector>(m_chat.get(), m_selection.get());
    m_inspector->setModel(test::fakeModel());
    m_inspector->setCurrentPage(m_inspector->pageTitles().indexOf(QStringLiteral("Experts")));
    m_inspector->resize(468, 1000);
    m_inspector->show();
    m_inspector->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_inspector.get()));
}

void ExpertsPageTest::cleanup()
{
    m_inspector.reset();
}

void ExpertsPageTest::wholeReplyCountsEveryToken()
{
    m_chat->appendMessage(test::fakeReply(5, 0));
    m_chat->appendTokens(5, test::fakeTokens(30));
    m_chat->appendTokens(5, test::fakeTokens(12));
    view()->controls()->setMode({.show = HeatMode::Show::Reply});
    int count = 0;
    for (const TokenRecord &record : m_chat->message(0).tokens)
        count +=
            static_cast<int>(std::count_if(record.experts.begin(), record.experts.begin() + 4,
                                           [](const ExpertChoice &choice) { return choice.expert == 3; }));
    QTRY_VERIFY(m_inspector->shownToken() == (TokenPosition{5, 41}));
    m_selection->setCell({1, 3});
    const QString expected =
        QStringLiteral("· %1 of 42 tokens · share %2 %").arg(count).arg(100.0 * count / (4 * 42), 0, 'f', 2);
    QTRY_VERIFY2(view()->readout().endsWith(expected), qPrintable(view()->readout()));
}

void ExpertsPageTest::keysChooseWhatIsShown()
{
    addReply(5, 10);
    m_selection->setToken(TokenPosition{5, 1});
    QTest::keyClick(map(), Qt::Key_W, Qt::AltModifier);
    QCOMPARE(view()->controls()->mode().show, HeatMode::Show::Reply);
    QTest::keyClick(map(), Qt::Key_T, Qt::AltModifier);
    QCOMPARE(view()->controls()->mode().show, HeatMode::Show::Token);
}

void ExpertsPageTest::aCellIsSelectedEverywhere()
{
    addReply(5, 10);
    m_selection->setToken(TokenPosition{5, 1});
    QTest::mouseClick(map(), Qt::LeftButton, {}, map()->cellRect({3, 7}).center());
    QVERIFY(m_selection->cell() == (RoutingCell{3, 7}));
    QVERIFY(m_selection->token() == (TokenPosition{5, 1})); // the token stays
    map()->setFocus();
    QTest::keyClick(map(), Qt::Key_Right);
    QTest::keyClick(map(), Qt::Key_Down);
    QVERIFY(m_selection->cell() == (RoutingCell{4, 8}));
    m_selection->undo();
    QVERIFY(view()->readout().startsWith(QStringLiteral("Layer 3 · expert 8")));
    QApplication::processEvents(); // the page takes its final layout
    QTest::mouseMove(map(), map()->cellRect({5, 20}).center());
    QTRY_VERIFY(m_selection->hoveredCell() == (RoutingCell{5, 20}));
    QVERIFY(m_selection->cell() == (RoutingCell{3, 8})); // hovering selects nothing
}

void ExpertsPageTest::aLabelSelectsItsLayer()
{
    addReply(5, 10);
    m_selection->setToken(TokenPosition{5, 1});
    QTest::mouseClick(map(), Qt::LeftButton, {}, QPoint(6, map()->cellRect({4, 0}).center().y()));
    QVERIFY(m_selection->cell() == (RoutingCell{4, std::nullopt}));
    QTest::mouseClick(map(), Qt::LeftButton, {}, QPoint(6, map()->cellRect({0, 0}).center().y()));
    QVERIFY(m_selection->cell() == (RoutingCell{4, std::nullopt})); // layer 0 is dense
}

void ExpertsPageTest::columnsFollowTheOrder()
{
    addReply(5, 60);
    m_selection->setToken(TokenPosition{5, 1});
    ReplyRouting routing;
    const auto model = std::make_shared<const ModelInfo>(test::fakeModel());
    routing.keepPairs(true);
    routing.follow(m_chat->message(0), model);
    view()->controls()->setOrder(HeatControls::Order::Load);
    const QPoint first = QPoint(30, map()->cellRect({2, 0}).center().y());
    QCOMPARE(map()->cellAt(first)->expert, int(orderByLoad(routing.whole())[32]));
    view()->controls()->setOrder(HeatControls::Order::CoActivation);
    QCOMPARE(map()->cellAt(first)->expert, int(routing.pairs().order()[32]));
    for (int expert = 0; expert < 32; ++expert)
        QVERIFY(map()->cellAt(map()->cellRect({2, expert}).center()) == (RoutingHeatmap::Cell{2, expert}));
    // The arrows walk what the eye sees.
    m_selection->setCell({2, map()->cellAt(first)->expert});
    map()->setFocus();
    QTest::keyClick(map(), Qt::Key_Right);
    QCOMPARE(*m_selection->cell().expert, int(routing.pairs().order()[33]));
    view()->controls()->setOrder(HeatControls::Order::Number);
    QCOMPARE(map()->cellAt(first)->expert, 0);
}

void ExpertsPageTest::aPinnedTokenIsComparedWith()
{
    addReply(5, 10);
    m_selection->setToken(TokenPosition{5, 1});
    auto *show = page()->findChild<QComboBox *>();
    const auto enabled = [show](HeatMode::Show item) {
        return (show->model()->flags(show->model()->index(static_cast<int>(item), 0)) & Qt::ItemIsEnabled)
            != 0;
    };
    QVERIFY(!enabled(HeatMode::Show::Pinned));
    auto *pin = view()->controls()->findChild<QToolButton *>();
    pin->click();
    QVERIFY(pin->text().startsWith(QStringLiteral("Pinned: ")));
    QVERIFY(enabled(HeatMode::Show::Pinned));
    m_selection->setToken(TokenPosition{5, 2});
    view()->controls()->setMode({.show = HeatMode::Show::Pinned});
    const std::vector<ExpertChoice> &pinned = m_chat->message(0).tokens[1].experts;
    const HeatNumbers now = weightsOf(m_chat->message(0).tokens[2], 7, 32, 4);
    m_selection->setCell({1, pinned[0].expert});
    const double difference = static_cast<double>(now[pinned[0].expert] - pinned[0].weight);
    const QString number = QString::number(std::abs(difference), 'f', 3);
    QVERIFY2(view()->readout().endsWith(number), qPrintable(view()->readout()));
    QVERIFY(view()->findChild<HeatLegend *>()->scale().middle == QStringLiteral("alike"));
    pin->click(); // let go: the map goes back to something that can be shown
    QVERIFY(!enabled(HeatMode::Show::Pinned));
    QCOMPARE(view()->controls()->mode().show, HeatMode::Show::Reply);
}

void ExpertsPageTest::aSiblingIsComparedWith()
{
    constexpr std::size_t fork = 4;
    ChatMessage other = test::fakeReply(5, 10); // never looked at
    ChatMessage shown = test::fakeReply(6, 20);
    shown.tokens[fork].id = 999;
    m_chat->appendMessage(shown);
    m_selection->setToken(TokenPosition{6, 1});
    view()->controls()->setMode({.show = HeatMode::Show::Sibling});
    QVERIFY(view()->readout().contains(QStringLiteral("nothing to show")));
    m_inspector->addVersions(
        std::make_shared<const std::vector<ChatMessage>>(std::vector<ChatMessage>{other, shown}));
    view()->controls()->setMode({.show = HeatMode::Show::Sibling});
    RoutingAggregate first(7, 32, 4);
    RoutingAggregate second(7, 32, 4);
    for (std::size_t token = fork; token < 10; ++token)
        first.add(other.tokens[token]);
    for (std::size_t token = fork; token < 20; ++token)
        second.add(shown.tokens[token]);
    m_selection->setCell({1, 3});
    const double difference = 100 * (second.share(0, 3) - first.share(0, 3));
    const QString number = QString::number(std::abs(difference), 'f', 2) + QStringLiteral(" %");
    QVERIFY2(view()->readout().endsWith(number), qPrintable(view()->readout()));
    QVERIFY(page()->findChild<QComboBox *>()->currentText().contains(QStringLiteral("version 1")));
}

void ExpertsPageTest::reasoningMinusAnswer()
{
    ChatMessage reply = test::fakeReply(5, 0);
    for (const Section section : {Section::Reasoning, Section::Answer}) {
        TokenRecord record = test::fakeTokens(1)[0];
        record.section = section;
        record.experts[0].expert = section == Section::Reasoning ? 2 : 3;
        reply.append(std::move(record));
    }
    m_chat->appendMessage(std::move(reply));
    m_selection->setToken(TokenPosition{5, 0});
    view()->controls()->setMode({.show = HeatMode::Show::Sections});
    m_selection->setCell({1, 2});
    QVERIFY(view()->readout().endsWith(QStringLiteral("difference +25.00 %")));
    m_selection->setCell({1, 3});
    QVERIFY(view()->readout().endsWith(QStringLiteral("difference −25.00 %")));
}

void ExpertsPageTest::decisionsAreAskedForOnceATokenAndShown()
{
    FakeSource source;
    m_inspector->setAnalysisSource(&source);
    addReply(5, 10);
    DecisionView *view = page()->decision();
    m_selection->setToken(TokenPosition{5, 1});
    QCOMPARE(source.asked.size(), std::size_t(1));
    QVERIFY(source.asked[0].decisions);
    QCOMPARE(source.asked[0].first, 1);
    QVERIFY(view->sentence().startsWith(QStringLiteral("Measuring")));
    m_selection->setCell({2, 5});
    QCOMPARE(source.asked.size(), std::size_t(1)); // all layers come together
    RouterDecision decision;
    decision.layer = 2;
    decision.scoring = "sigmoid";
    decision.scores.assign(32, 0.25F);
    decision.keptGroups = {0};
    decision.chosen = {{5, 1.0F}};
    source.answer(7, {decision}); // to another question
    QCOMPARE(view->model()->rowCount(), 0);
    source.answer(1, {decision});
    QCOMPARE(view->model()->rowCount(), 32);
    QCOMPARE(view->model()->expertOf(0), 5);
    QVERIFY(view->sentence().startsWith(QStringLiteral("Layer 2 chose 5: the largest scores.")));
    DecisionChart *chart = view->chart();
    QVERIFY(chart->isVisible());
    QTest::mouseClick(chart, Qt::LeftButton, {}, chart->columnOf(9).center().toPoint());
    QVERIFY(m_selection->cell() == (RoutingCell{2, 9}));
    m_selection->setToken(TokenPosition{5, 2});
    QCOMPARE(source.asked.size(), std::size_t(2));
}

void ExpertsPageTest::decisionsSayWhyThereAreNone()
{
    FakeSource source;
    m_inspector->setAnalysisSource(&source);
    m_chat->appendMessage(test::fakeReply(5, 10)); // still being written
    m_selection->setToken(TokenPosition{5, 1});
    QVERIFY(source.asked.empty());
    QVERIFY(page()->decision()->sentence().contains(QStringLiteral("when the reply has ended")));
    m_chat->finish(5, MessageState::Complete, {});
    QTRY_COMPARE(source.asked.size(), std::size_t(1));
    source.answer(1, {});
    QVERIFY(page()->decision()->sentence().startsWith(QStringLiteral("This device does not")));
    QVERIFY(!page()->decision()->chart()->isVisible());
    m_inspector->setAnalysisSource(nullptr);
    m_selection->setToken(TokenPosition{5, 2});
    QVERIFY(page()->decision()->sentence().contains(QStringLiteral("no engine to ask")));
}

void ExpertsPageTest::tokensOfAnExpertSelectTheirToken()
{
    addReply(5, 60);
    addReply(6, 60);
    m_selection->setToken(TokenPosition{6, 1});
    page()->setDetail(ExpertsPage::Detail::Tokens);
    const int expert = m_chat->message(0).tokens[10].experts[0].expert;
    m_selection->setCell({1, expert});
    PlainTable *table = tableNamed(QStringLiteral("Tokens"));
    auto *model = qobject_cast<ExpertTokensModel *>(table->model());
    QVERIFY(model->rowCount() >= 2); // of both replies, which are alike
    const TokenPosition second = model->positionOf(1);
    clickRow(table, 1);
    QVERIFY(m_selection->token() == second);
    QVERIFY(m_selection->cell() == (RoutingCell{1, expert}));
    table->copyRows();
    QVERIFY(QGuiApplication::clipboard()->text().startsWith(QStringLiteral("Weight\tToken in its text\n")));
}

void ExpertsPageTest::layersSelectTheirBusiestExpert()
{
    addReply(5, 60);
    m_selection->setToken(TokenPosition{5, 1});
    page()->setDetail(ExpertsPage::Detail::Layers);
    PlainTable *table = tableNamed(QStringLiteral("Load"));
    QCOMPARE(table->model()->rowCount(), 7);
    clickRow(table, 3);
    QVERIFY(m_selection->cell().layer == 4);
    RoutingAggregate aggregate(7, 32, 4);
    for (const TokenRecord &record : m_chat->message(0).tokens)
        aggregate.add(record);
    QCOMPARE(*m_selection->cell().expert, layerLoad(aggregate, 3).busiest);
}

void ExpertsPageTest::aDenseModelHasNoDetails()
{
    m_inspector->setModel(test::fakeModel({.experts = 0}));
    addReply(5, 10);
    m_selection->setToken(TokenPosition{5, 1});
    QVERIFY(!map()->isVisible());
    QVERIFY(!page()->decision()->isVisible());
}

void ExpertsPageTest::everythingFocusableHasAName()
{
    addReply(5, 10);
    m_selection->setToken(TokenPosition{5, 1});
    for (const auto detail :
         {ExpertsPage::Detail::Decision, ExpertsPage::Detail::Tokens, ExpertsPage::Detail::Layers}) {
        page()->setDetail(detail);
        for (auto *widget : m_inspector->findChildren<QWidget *>())
            if ((widget->focusPolicy() & Qt::TabFocus) != 0 && widget->isVisible()
                && widget->focusProxy() == nullptr)
                QVERIFY2(!widget->accessibleName().isEmpty() || widget->property("text").isValid(),
                         widget->metaObject()->className());
    }
}

QTEST_MAIN(ExpertsPageTest)
#include "experts_page_test.moc"
