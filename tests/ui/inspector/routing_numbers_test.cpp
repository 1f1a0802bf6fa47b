// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the heatmap and its tables are made of.
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/expert_order.h"
#include "ui/inspector/heat_values.h"
#include "ui/inspector/layer_load.h"
#include "ui/inspector/reply_routing.h"

#include <QTest>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

/// One layer; each token's experts, all of weight 0.5.
TokenRecord tokenOf(std::initializer_list<int> experts, Section section = Section::Answer)
{
    TokenRecord record;
    record.section = section;
    for (const int expert : experts)
        record.experts.push_back({static_cast<std::uint16_t>(expert), 0.5F});
    return record;
}

ExpertOrder firstPlaces(const ExpertOrder &order, int count)
{
    return {order.begin(), order.begin() + count};
}

} // namespace

class RoutingNumbersTest : public QObject {
    Q_OBJECT

private slots:
    void sectionsAreCountedApart();
    void aReplyThatShrinksBeginsAnew();
    void pairsAreCountedWhenTheyAreWanted();
    void evenAndUnevenLayers();
    void orderByLoadKeepsNumbersWhereTheyTie();
    void expertsChosenTogetherLieTogether();
    void clusteringJoinsTheNearestFirst();
    void everyOrderIsAPermutation();
    void linearPlaces();
    void logarithmicPlaces();
    void differencesGoBothWays();
    void againstTheUniformShare();
    void weightsNeedTheShapeOfTheModel();
};

void RoutingNumbersTest::sectionsAreCountedApart()
{
    const auto model = std::make_shared<const ModelInfo>(
        test::fakeModel({.layers = 1, .denseLayers = 0, .experts = 4, .expertsPerToken = 2}));
    ChatMessage message;
    message.append(tokenOf({0, 1}, Section::Reasoning));
    message.append(tokenOf({0, 2}, Section::Marker));
    ReplyRouting routing;
    routing.follow(message, model);
    message.append(tokenOf({2, 3}, Section::Answer));
    routing.follow(message, model);
    QCOMPARE(routing.whole().tokens(), 3);
    QCOMPARE(routing.reasoning().tokens(), 1);
    QCOMPARE(routing.answer().tokens(), 1);
    QCOMPARE(routing.whole().count(0, 0), 2U);
    QCOMPARE(routing.answer().count(0, 0), 0U);
    QCOMPARE(routing.answer().share(0, 3), 0.5);
}

void RoutingNumbersTest::aReplyThatShrinksBeginsAnew()
{
    const auto model = std::make_shared<const ModelInfo>(test::fakeModel());
    ChatMessage message = test::fakeReply(1, 10);
    ReplyRouting routing;
    routing.follow(message, model);
    message = test::fakeReply(1, 4);
    routing.follow(message, model);
    QCOMPARE(routing.whole().tokens(), 4);
    routing.follow(message, nullptr);
    QCOMPARE(routing.whole().tokens(), 0);
}

void RoutingNumbersTest::pairsAreCountedWhenTheyAreWanted()
{
    const auto model = std::make_shared<const ModelInfo>(test::fakeModel());
    const ChatMessage message = test::fakeReply(1, 10);
    ReplyRouting routing;
    routing.follow(message, model);
    QCOMPARE(routing.pairs().tokens(), 0);
    routing.keepPairs(true); // late: the tokens before count, too
    routing.follow(message, model);
    QCOMPARE(routing.pairs().tokens(), 10);
    const auto &first = message.tokens[0].experts;
    QVERIFY(routing.pairs().count(0, first[1].expert, first[0].expert) >= 1);
    QCOMPARE(routing.pairs().count(0, first[0].expert, first[0].expert),
             routing.whole().count(0, first[0].expert));
}

void RoutingNumbersTest::evenAndUnevenLayers()
{
    RoutingAggregate even(1, 4, 2);
    even.add(tokenOf({0, 1}));
    even.add(tokenOf({2, 3}));
    const LayerLoad all = layerLoad(even, 0);
    QCOMPARE(all.maxOverMean, 1.0);
    QCOMPARE(all.entropy, 2.0);
    QCOMPARE(all.deadShare, 0.0);

    RoutingAggregate uneven(1, 4, 2);
    uneven.add(tokenOf({1, 3}));
    uneven.add(tokenOf({1, 3}));
    uneven.add(tokenOf({0, 3}));
    const LayerLoad some = layerLoad(uneven, 0);
    QCOMPARE(some.busiest, 3);
    QCOMPARE(some.largestShare, 0.5);
    QCOMPARE(some.maxOverMean, 2.0);
    QCOMPARE(some.deadShare, 0.25);
    const double expected = 0.5 + std::log2(3.0) / 3 + std::log2(6.0) / 6; // shares 1/2, 1/3, 1/6
    QVERIFY(std::abs(some.entropy - expected) < 1e-12);
    QCOMPARE(layerLoad(RoutingAggregate(1, 4, 2), 0).entropy, 0.0);
}

void RoutingNumbersTest::orderByLoadKeepsNumbersWhereTheyTie()
{
    RoutingAggregate aggregate(1, 5, 2);
    aggregate.add(tokenOf({1, 4}));
    aggregate.add(tokenOf({2, 4}));
    QVERIFY(orderByLoad(aggregate) == (ExpertOrder{4, 1, 2, 0, 3}));
}

void RoutingNumbersTest::expertsChosenTogetherLieTogether()
{
    CoActivation pairs(1, 6, 2);
    for (int i = 0; i < 5; ++i) {
        pairs.add(tokenOf({0, 5}));
        pairs.add(tokenOf({1, 4}));
        pairs.add(tokenOf({1, 4}));
    }
    pairs.add(tokenOf({2, 3}));
    const ExpertOrder order = pairs.order();
    const auto place = [&](std::uint16_t expert) {
        return std::find(order.begin(), order.end(), expert) - order.begin();
    };
    QCOMPARE(std::abs(place(0) - place(5)), 1);
    QCOMPARE(std::abs(place(1) - place(4)), 1);
    QCOMPARE(std::abs(place(2) - place(3)), 1);
    QVERIFY(firstPlaces(order, 2) == (ExpertOrder{1, 4})); // the busiest pair
    QVERIFY(order == pairs.order());
}

/// Distances by hand: 0 and 1 share 3 of 4 tokens, 2 joins them in one, 3 is alone.
void RoutingNumbersTest::clusteringJoinsTheNearestFirst()
{
    CoActivation pairs(1, 5, 2);
    for (int i = 0; i < 3; ++i)
        pairs.add(tokenOf({0, 1}));
    pairs.add(tokenOf({0, 2}));
    for (int i = 0; i < 2; ++i)
        pairs.add(tokenOf({3, 4}));
    const ExpertOrder order = pairs.order();
    // {0, 1} has 7 choices and takes 2 in behind it; {3, 4} has 4.
    QVERIFY(order == (ExpertOrder{0, 1, 2, 3, 4}));
}

void RoutingNumbersTest::everyOrderIsAPermutation()
{
    const test::FakeShape shape{.layers = 3, .denseLayers = 1, .experts = 64, .expertsPerToken = 8};
    RoutingAggregate aggregate(2, 64, 8);
    CoActivation pairs(2, 64, 8);
    for (const TokenRecord &record : test::fakeTokens(40, shape)) {
        aggregate.add(record);
        pairs.add(record);
    }
    for (const ExpertOrder &order : {orderByLoad(aggregate), pairs.order(), CoActivation(2, 64, 8).order()}) {
        QCOMPARE(order.size(), std::size_t(128));
        for (const auto begin : {order.begin(), order.begin() + 64})
            QCOMPARE(std::set<int>(begin, begin + 64).size(), std::size_t(64));
    }
    QVERIFY(CoActivation().order().empty());
}

void RoutingNumbersTest::linearPlaces()
{
    const HeatScale scale({.show = HeatMode::Show::Reply}, {0.0F, 0.1F, 0.25F});
    QCOMPARE(scale.low(), 0.0F);
    QCOMPARE(scale.high(), 0.3F);
    const auto places = scale.place({0.0F, 0.15F, 0.3F, 1e-9F});
    QCOMPARE(places[0], 0.0F);
    QCOMPARE(places[1], 0.5F);
    QCOMPARE(places[2], 1.0F);
    QVERIFY(places[3] > 0); // what was chosen at all is told from what was not
}

void RoutingNumbersTest::logarithmicPlaces()
{
    const HeatScale scale({.show = HeatMode::Show::Reply, .scale = HeatMode::Scale::Logarithmic}, {1.0F});
    QCOMPARE(scale.low(), 0.001F);
    const auto places = scale.place({1.0F, 0.1F, 0.001F, 0.00001F, 0.0F});
    QCOMPARE(places[0], 1.0F);
    QVERIFY(std::abs(places[1] - 2.0F / 3) < 1e-5F);
    QVERIFY(places[2] >= 0 && places[2] < 1e-4F);
    QVERIFY(places[3] > 0 && places[3] < 1e-4F);
    QCOMPARE(places[4], 0.0F);
}

void RoutingNumbersTest::differencesGoBothWays()
{
    for (const auto kind : {HeatMode::Scale::Linear, HeatMode::Scale::Logarithmic}) {
        const HeatScale scale({.show = HeatMode::Show::Sections, .scale = kind}, {0.2F, -0.05F});
        QVERIFY(scale.isDiverging());
        QCOMPARE(scale.low(), -0.2F);
        const auto places = scale.place({0.2F, -0.2F, 0.0F, 0.05F, -0.05F});
        QCOMPARE(places[0], 1.0F);
        QCOMPARE(places[1], -1.0F);
        QCOMPARE(places[2], 0.0F);
        QCOMPARE(places[3], -places[4]);
    }
    QVERIFY(differenceOf({1.0F}, {}).empty());
    QVERIFY(differenceOf({1.0F, 0.5F}, {0.25F, 0.5F}) == (HeatNumbers{0.75F, 0.0F}));
}

void RoutingNumbersTest::againstTheUniformShare()
{
    RoutingAggregate aggregate(1, 4, 2);
    aggregate.add(tokenOf({0, 1}));
    aggregate.add(tokenOf({0, 2}));
    const HeatNumbers numbers = overUniform(sharesOf(aggregate), 4);
    QVERIFY(numbers == (HeatNumbers{2, 1, 1, 0}));
    HeatMode mode{.show = HeatMode::Show::Reply, .share = HeatMode::Share::OverUniform};
    QVERIFY(HeatScale(mode, numbers).place(numbers) == (std::vector<float>{1, 0, 0, -1}));
    mode.scale = HeatMode::Scale::Logarithmic;
    const HeatScale logarithmic(mode, numbers);
    QCOMPARE(logarithmic.low(), 0.5F);
    QVERIFY(logarithmic.place({2, 1, 0.5F, 0}) == (std::vector<float>{1, 0, -1, -1}));
}

void RoutingNumbersTest::weightsNeedTheShapeOfTheModel()
{
    QVERIFY(weightsOf(tokenOf({1, 3}), 1, 4, 2) == (HeatNumbers{0, 0.5F, 0, 0.5F}));
    QVERIFY(weightsOf(tokenOf({1, 3}), 2, 4, 2).empty());
    QVERIFY(weightsOf(tokenOf({}), 1, 4, 2).empty());
    QVERIFY(weightsOf(tokenOf({}), 0, 0, 0).empty());
}

QTEST_MAIN(RoutingNumbersTest)
#include "routing_numbers_test.moc"
