// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers that views derive: power law, tree of forks, colours of tokens.
#include "ui/model/fork_tree.h"
#include "ui/model/power_law.h"
#include "ui/model/token_heat.h"

#include <QTest>

#include <cmath>

using namespace bathyscope;
using namespace bathyscope::ui;

class DistributionNumbersTest : public QObject {
    Q_OBJECT

private slots:
    void anExactPowerLawIsFound();
    void aHeadThatBendsAwayIsLeftOut();
    void tooFewRanksHaveNoFit();
    void theFitEndsBeforeWhatHasUnderflowed();
    void forksHangOnTheReplyTheyShareMostWith();
    void heatRunsFromExpectedToSurprising();
};

void DistributionNumbersTest::anExactPowerLawIsFound()
{
    std::vector<double> probabilities;
    for (int rank = 1; rank <= 1000; ++rank)
        probabilities.push_back(0.25 * std::pow(rank, -1.7));
    const auto fit = fitPowerLaw(probabilities);
    QVERIFY(fit);
    QVERIFY(std::abs(fit->slope + 1.7) < 1e-9);
    QVERIFY(std::abs(fit->scale - 0.25) < 1e-9);
    QVERIFY(std::abs(fit->r2 - 1) < 1e-9);
    QCOMPARE(fit->last, 1000);
    QVERIFY(std::abs(fit->at(10) - 0.25 * std::pow(10, -1.7)) < 1e-9);
}

void DistributionNumbersTest::aHeadThatBendsAwayIsLeftOut()
{
    std::vector<double> probabilities{0.9};
    for (int rank = 2; rank <= 500; ++rank)
        probabilities.push_back(0.01 * std::pow(rank, -1.2));
    const auto fit = fitPowerLaw(probabilities);
    QVERIFY(fit);
    QCOMPARE(fit->first, 2);
    QVERIFY(std::abs(fit->slope + 1.2) < 1e-9);
}

void DistributionNumbersTest::tooFewRanksHaveNoFit()
{
    QVERIFY(!fitPowerLaw({}));
    QVERIFY(!fitPowerLaw(std::vector<double>(7, 0.1)));
    QVERIFY(fitPowerLaw(std::vector<double>(8, 0.1)));
}

void DistributionNumbersTest::theFitEndsBeforeWhatHasUnderflowed()
{
    std::vector<double> probabilities;
    for (int rank = 1; rank <= 20; ++rank)
        probabilities.push_back(rank <= 12 ? std::pow(rank, -2.0) : 0.0);
    QCOMPARE(fitPowerLaw(probabilities)->last, 12);
}

void DistributionNumbersTest::forksHangOnTheReplyTheyShareMostWith()
{
    const auto tree = forkTree({{1, 2, 3, 4, 5}, {1, 2, 9, 9}, {1, 2, 9, 8, 7, 6}, {5, 5}, {1, 2, 3, 4, 5}});
    QCOMPARE(tree.size(), std::size_t(5));
    QCOMPARE(tree[0], (ForkBranch{-1, 0, 5}));
    QCOMPARE(tree[1], (ForkBranch{0, 2, 4}));
    QCOMPARE(tree[2], (ForkBranch{1, 3, 6}));
    QCOMPARE(tree[3], (ForkBranch{-1, 0, 2}));
    QCOMPARE(tree[4], (ForkBranch{0, 5, 5}));
    QVERIFY(forkTree({}).empty());
}

void DistributionNumbersTest::heatRunsFromExpectedToSurprising()
{
    TokenRecord record;
    record.id = 5;
    record.logProb = static_cast<float>(-4 * std::log(2.0)); // 4 bit
    record.top = {{9, std::log(0.5F)}, {8, std::log(0.25F)}, {5, std::log(0.0625F)}};
    QCOMPARE(tokenHeat(record, ColorBy::Nothing), 0.0);
    QVERIFY(std::abs(tokenHeat(record, ColorBy::Surprisal) - 0.5) < 1e-6);
    QVERIFY(std::abs(tokenHeat(record, ColorBy::Probability) - 15.0 / 16) < 1e-6);
    QVERIFY(std::abs(tokenHeat(record, ColorBy::Entropy) - (0.5 + 0.5 + 0.25) / 4) < 1e-6);
    QVERIFY(std::abs(tokenHeat(record, ColorBy::Rank) - std::log(3.0) / std::log(21.0)) < 1e-6);
    record.id = 1; // not among the candidates
    QVERIFY(tokenHeat(record, ColorBy::Rank) < 1);
    record.id = -1; // lost
    QCOMPARE(tokenHeat(record, ColorBy::Surprisal), 0.0);
    for (const ColorBy by : {ColorBy::Probability, ColorBy::Surprisal, ColorBy::Entropy, ColorBy::Rank})
        QVERIFY(!tokenScale(by).name.isEmpty());
}

QTEST_GUILESS_MAIN(DistributionNumbersTest)
#include "distribution_numbers_test.moc"
