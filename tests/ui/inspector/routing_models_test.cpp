// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/inspector/fake_reply.h"
#include "ui/export/table_text.h"
#include "ui/inspector/decision_model.h"
#include "ui/inspector/expert_tokens_model.h"
#include "ui/inspector/layer_model.h"

#include <QAbstractItemModelTester>
#include <QStandardItemModel>
#include <QTest>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

/// Every role at the first, the last and one past the end.
void checkBoundaries(const QAbstractItemModel &model)
{
    for (const int row : {-1, 0, model.rowCount() - 1, model.rowCount()})
        for (const int column : {-1, 0, model.columnCount() - 1, model.columnCount()})
            for (int role = 0; role <= Qt::UserRole + 4; ++role)
                model.data(model.index(row, column), role);
    for (const int section : {-1, 0, model.columnCount() - 1, model.columnCount()}) {
        model.headerData(section, Qt::Horizontal, Qt::DisplayRole);
        QVERIFY(!model.headerData(section, Qt::Vertical, Qt::UserRole).isValid());
    }
    if (const QModelIndex first = model.index(0, 0); first.isValid()) {
        QCOMPARE(model.rowCount(first), 0);
        QCOMPARE(model.columnCount(first), 0);
    }
    QVERIFY(!model.headerData(model.columnCount(), Qt::Horizontal, Qt::DisplayRole).isValid());
}

RouterDecision decision()
{
    RouterDecision value;
    value.layer = 3;
    value.scoring = "sigmoid";
    value.scores = {0.9F, 0.1F, 0.5F, 0.4F};
    value.bias = {0.0F, 0.0F, 0.0F, 0.25F};
    value.groups = 2;
    value.keptGroups = {1};
    value.chosen = {{3, 2.5F}};
    return value;
}

QString text(const QAbstractItemModel &model, int row, int column)
{
    return model.index(row, column).data().toString();
}

} // namespace

class RoutingModelsTest : public QObject {
    Q_OBJECT

private slots:
    void decisionsPutTheChosenFirst();
    void layersTellTheirLoad();
    void tokensOfAnExpertByWeight();
    void tokensOfAnExpertGrow();
    void tokensOfAnotherExpertBeginAnew();
    void contextStandsAroundTheToken();
    void tablesAsText();
};

void RoutingModelsTest::decisionsPutTheChosenFirst()
{
    DecisionModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    checkBoundaries(model);
    model.setDecision(decision());
    checkBoundaries(model);
    QCOMPARE(model.rowCount(), 4);
    QCOMPARE(model.expertOf(0), 3);
    QCOMPARE(text(model, 0, DecisionModel::SumColumn), QStringLiteral("0.6500"));
    QCOMPARE(text(model, 0, DecisionModel::WeightColumn), QStringLiteral("2.5000"));
    // The largest score of all lost: its group was left out.
    QCOMPARE(model.expertOf(1), 0);
    QCOMPARE(model.index(1, 0).data(DecisionModel::StateRole).toInt(),
             static_cast<int>(DecisionModel::State::GroupLeftOut));
    QCOMPARE(text(model, 1, DecisionModel::GroupColumn), QStringLiteral("0, left out"));
    QCOMPARE(model.expertOf(2), 2);
    QCOMPARE(model.index(2, 0).data(DecisionModel::StateRole).toInt(),
             static_cast<int>(DecisionModel::State::Beaten));
    model.clear();
    QCOMPARE(model.rowCount(), 0);
}

void RoutingModelsTest::layersTellTheirLoad()
{
    LayerModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    checkBoundaries(model);
    RoutingAggregate aggregate(1, 4, 2);
    TokenRecord record;
    record.experts = {{1, 0.5F}, {2, 0.5F}};
    aggregate.add(record);
    model.setLoads({5}, aggregate);
    checkBoundaries(model);
    QCOMPARE(text(model, 0, LayerModel::LayerColumn), QStringLiteral("L5"));
    QCOMPARE(text(model, 0, LayerModel::RatioColumn), QStringLiteral("2.00 ×"));
    QCOMPARE(text(model, 0, LayerModel::EntropyColumn), QStringLiteral("1.00 of 2.00"));
    QCOMPARE(text(model, 0, LayerModel::DeadColumn), QStringLiteral("50.00 %"));
    QCOMPARE(model.rowOf(5), 0);
    QCOMPARE(model.rowOf(4), -1);
    model.setLoads({5, 6}, aggregate); // of another model
    QCOMPARE(model.rowCount(), 0);
}

void RoutingModelsTest::tokensOfAnExpertByWeight()
{
    const ChatMessage first = test::fakeReply(1, 60);
    const ChatMessage second = test::fakeReply(2, 300);
    ExpertTokensModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    checkBoundaries(model);
    const ExpertPlace place{.row = 2, .expert = 3, .expertsPerToken = 4};
    model.show(place, {&first, &second});
    checkBoundaries(model);
    int expected = 0;
    for (const ChatMessage *reply : {&first, &second})
        for (const TokenRecord &record : reply->tokens)
            for (int i = 8; i < 12; ++i)
                expected += record.experts[static_cast<std::size_t>(i)].expert == 3 ? 1 : 0;
    QCOMPARE(model.found(), expected);
    QCOMPARE(model.rowCount(), std::min(expected, ExpertTokensModel::maxRows));
    double before = 2;
    for (int row = 0; row < model.rowCount(); ++row) {
        const double weight = text(model, row, ExpertTokensModel::WeightColumn).toDouble();
        QVERIFY(weight <= before);
        before = weight;
    }
}

void RoutingModelsTest::tokensOfAnExpertGrow()
{
    ChatMessage grown = test::fakeReply(1, 100);
    const ChatMessage whole = test::fakeReply(1, 200);
    const ExpertPlace place{.row = 0, .expert = 5, .expertsPerToken = 4};
    ExpertTokensModel stepwise;
    const QAbstractItemModelTester tester(&stepwise, QAbstractItemModelTester::FailureReportingMode::Fatal);
    stepwise.show(place, {&grown});
    for (std::size_t t = 100; t < 200; ++t)
        grown.append(TokenRecord(whole.tokens[t]));
    stepwise.show(place, {&grown});
    ExpertTokensModel atOnce;
    atOnce.show(place, {&whole});
    QCOMPARE(stepwise.found(), atOnce.found());
    QCOMPARE(stepwise.rowCount(), atOnce.rowCount());
    for (int row = 0; row < atOnce.rowCount(); ++row)
        QVERIFY(stepwise.positionOf(row) == atOnce.positionOf(row));
}

void RoutingModelsTest::tokensOfAnotherExpertBeginAnew()
{
    const ChatMessage reply = test::fakeReply(1, 100);
    ExpertTokensModel model;
    model.show({.row = 0, .expert = 5, .expertsPerToken = 4}, {&reply});
    const int found = model.found();
    model.show({.row = 0, .expert = 5, .expertsPerToken = 4}, {&reply});
    QCOMPARE(model.found(), found); // not counted twice
    model.show({.row = 0, .expert = 6, .expertsPerToken = 4}, {&reply});
    model.show({.row = 0, .expert = 5, .expertsPerToken = 4}, {&reply});
    QCOMPARE(model.found(), found);
    model.show({.row = 0, .expert = 5, .expertsPerToken = 4}, {}); // another conversation
    QCOMPARE(model.rowCount(), 0);
}

void RoutingModelsTest::contextStandsAroundTheToken()
{
    ChatMessage reply;
    reply.id = 1;
    for (const char *bytes : {"one", " two", "\n", "three"}) {
        TokenRecord record;
        record.bytes = bytes;
        record.experts = {{record.bytes == "\n" ? std::uint16_t(7) : std::uint16_t(1), 0.5F}};
        reply.append(std::move(record));
    }
    ExpertTokensModel model;
    model.show({.row = 0, .expert = 7, .expertsPerToken = 1}, {&reply});
    QCOMPARE(model.rowCount(), 1);
    QVERIFY(model.positionOf(0) == (TokenPosition{1, 2}));
    const QModelIndex index = model.index(0, ExpertTokensModel::ContextColumn);
    QCOMPARE(index.data(ExpertTokensModel::BeforeRole).toString(), QStringLiteral("one two"));
    QCOMPARE(index.data(ExpertTokensModel::TokenRole).toString(), QStringLiteral("↵"));
    QCOMPARE(index.data(ExpertTokensModel::AfterRole).toString(), QStringLiteral("three"));
}

void RoutingModelsTest::tablesAsText()
{
    QStandardItemModel model(2, 2);
    model.setHorizontalHeaderLabels({QStringLiteral("Token"), QStringLiteral("p")});
    model.setHeaderData(1, Qt::Horizontal, int(Qt::AlignRight), Qt::TextAlignmentRole);
    model.setItem(0, 0, new QStandardItem(QStringLiteral("a, \"b\"")));
    model.setItem(0, 1, new QStandardItem(QStringLiteral("0.5")));
    model.setItem(1, 0, new QStandardItem(QStringLiteral("x|y\tz")));
    model.setItem(1, 1, new QStandardItem(QStringLiteral("0.25")));
    QCOMPARE(toCsv(model), QStringLiteral("Token,p\n\"a, \"\"b\"\"\",0.5\nx|y\tz,0.25\n"));
    QCOMPARE(toTsv(model), QStringLiteral("Token\tp\na, \"b\"\t0.5\nx|y z\t0.25\n"));
    QCOMPARE(toMarkdown(model),
             QStringLiteral("| Token | p |\n| --- | ---: |\n| a, \"b\" | 0.5 |\n| x\\|y\tz | 0.25 |\n"));
}

QTEST_MAIN(RoutingModelsTest)
#include "routing_models_test.moc"
