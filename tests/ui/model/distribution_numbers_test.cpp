// SPDX-License-Identifier: GPL-3.0-or-later
//
// Numbers that views derive: power law, tree of forks, colours of tokens.
#include "ui/model/fork_tree.h"
#include "ui/model/power_law.h"
#include "ui/model/token_alignment.h"
#include "ui/model/token_heat.h"
#include "ui/model/versions.h"

#include <QSignalSpy>
#include <QTest>

#include <cmath>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

ChatMessage reply(const std::vector<TokenId> &ids)
{
    ChatMessage message;
    for (const TokenId id : ids) {
        TokenRecord record;
        record.id = id;
        message.append(std::move(record));
    }
    return message;
}

/// "1=1 2/7 -/8": equal tokens, a pair, one alone.
QString alignment(const std::vector<TokenId> &left, const std::vector<TokenId> &right, int from)
{
    const ChatMessage a = reply(left);
    const ChatMessage b = reply(right);
    QStringList rows;
    for (const AlignedTokens &row : alignTokens(a.tokens, b.tokens, from)) {
        const auto text = [](const std::vector<TokenId> &ids, int token) {
            return token < 0 ? QStringLiteral("-") : QString::number(ids[static_cast<std::size_t>(token)]);
        };
        const QString l = text(left, row.left);
        const QString r = text(right, row.right);
        rows << l + (l == r ? QLatin1Char('=') : QLatin1Char('/')) + r;
    }
    return rows.join(QLatin1Char(' '));
}

} // namespace

class DistributionNumbersTest : public QObject {
    Q_OBJECT

private slots:
    void anExactPowerLawIsFound();
    void aHeadThatBendsAwayIsLeftOut();
    void tooFewRanksHaveNoFit();
    void theFitEndsBeforeWhatHasUnderflowed();
    void forksHangOnTheReplyTheyShareMostWith();
    void equalTokensStandSideBySide();
    void versionsStandBesideTheOneBefore();
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
    const auto tree = forkTree({reply({1, 2, 3, 4, 5}), reply({1, 2, 9, 9}), reply({1, 2, 9, 8, 7, 6}),
                                reply({5, 5}), reply({1, 2, 3, 4, 5})});
    QCOMPARE(tree.size(), std::size_t(5));
    QCOMPARE(tree[0], (ForkBranch{-1, 0, 5}));
    QCOMPARE(tree[1], (ForkBranch{0, 2, 4}));
    QCOMPARE(tree[2], (ForkBranch{1, 3, 6}));
    QCOMPARE(tree[3], (ForkBranch{-1, 0, 2}));
    QCOMPARE(tree[4], (ForkBranch{0, 5, 5}));
    QVERIFY(forkTree({}).empty());
}

void DistributionNumbersTest::equalTokensStandSideBySide()
{
    QCOMPARE(alignment({1, 2, 3}, {1, 2, 3}, 3), QString());
    QCOMPARE(alignment({1, 2, 3, 4}, {1, 7, 3, 4}, 1), QStringLiteral("2/7 3=3 4=4"));
    QCOMPARE(alignment({1, 2, 3, 4}, {1, 7, 8, 3, 4}, 1), QStringLiteral("2/7 -/8 3=3 4=4"));
    QCOMPARE(alignment({1, 2, 5, 3, 6}, {1, 3, 9}, 1), QStringLiteral("2/- 5/- 3=3 6/9"));
    QCOMPARE(alignment({1, 2}, {1}, 1), QStringLiteral("2/-"));
    QCOMPARE(alignment({}, {4}, 0), QStringLiteral("-/4"));
    // Too long for a table of lengths: by place, up to what they have in common at the end.
    std::vector<TokenId> left(3000, 1);
    std::vector<TokenId> right(3001, 2);
    left.push_back(9);
    right.push_back(9);
    const auto rows = alignTokens(reply(left).tokens, reply(right).tokens, 0);
    QCOMPARE(rows.size(), std::size_t(3002));
    QCOMPARE(rows[2999], (AlignedTokens{2999, 2999}));
    QCOMPARE(rows[3000], (AlignedTokens{-1, 3000}));
    QCOMPARE(rows[3001], (AlignedTokens{3000, 3001}));
}

void DistributionNumbersTest::versionsStandBesideTheOneBefore()
{
    Versions versions;
    QSignalSpy changed(&versions, &Versions::changed);
    std::vector<ChatMessage> three(3);
    for (int i = 0; i < 3; ++i)
        three[static_cast<std::size_t>(i)].id = 10 + i;
    versions.add(std::make_shared<const std::vector<ChatMessage>>(three));
    versions.add(std::make_shared<const std::vector<ChatMessage>>(1)); // alone
    QCOMPARE(versions.pairOf(10).other, 1);
    QCOMPARE(versions.pairOf(12).other, 1);
    QVERIFY(!versions.pairOf(0));
    QVERIFY(!versions.pairOf(99));
    versions.setOther(12, 0);
    QCOMPARE(versions.pairOf(12).other, 0);
    QCOMPARE(versions.pairOf(10).other, 1); // not beside itself
    versions.setOther(12, 3);
    versions.setOther(12, -1);
    QCOMPARE(versions.pairOf(12).other, 0);
    QCOMPARE(changed.size(), 3);
    versions.clear();
    QVERIFY(!versions.pairOf(12));
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
