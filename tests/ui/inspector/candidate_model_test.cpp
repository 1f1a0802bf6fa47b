// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/candidate_model.h"
#include "ui/inspector/routing_aggregate.h"
#include "ui/inspector/token_display.h"
#include "ui/inspector/token_header.h"

#include <QAbstractItemModelTester>
#include <QTest>

using namespace bathyscope;
using namespace bathyscope::ui;
using Kind = CandidateModel::Kind;

class CandidateModelTest : public QObject {
    Q_OBJECT

private slots:
    void invisibleBytesAreShown_data();
    void invisibleBytesAreShown();
    void rowsOfATracedToken();
    void chosenOutsideTheCandidates();
    void untracedToken();
    void unknownVocabulary();
    void edges();
    void copiesTabSeparatedRows();
    void entropyIsBounded();
    void aggregateEqualsCountingAfresh();
    void aggregateRefusesForeignShapes();

private:
    static QString text(const CandidateModel &model, int row, int column)
    {
        return model.index(row, column).data().toString();
    }
    static Kind kind(const CandidateModel &model, int row)
    {
        return static_cast<Kind>(model.index(row, 0).data(CandidateModel::KindRole).toInt());
    }
};

void CandidateModelTest::invisibleBytesAreShown_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("shown");
    QTest::newRow("space") << QByteArray(" the") << QStringLiteral("␣the");
    QTest::newRow("lines") << QByteArray("\n\n\t") << QStringLiteral("↵↵⇥");
    QTest::newRow("incomplete") << QByteArray("\xE2\x80") << QStringLiteral("⟨E2 80⟩");
    QTest::newRow("continuation") << QByteArray("\x80"
                                                "a")
                                  << QStringLiteral("⟨80⟩a");
    QTest::newRow("control") << QByteArray("a\x07\x1B"
                                           "b\r")
                             << QStringLiteral("a⟨07 1B⟩b⟨0D⟩");
    QTest::newRow("nul") << QByteArray("\0", 1) << QStringLiteral("⟨00⟩");
    QTest::newRow("overlong") << QByteArray("\xC0\xAF") << QStringLiteral("⟨C0 AF⟩");
    QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << QStringLiteral("⟨ED A0 80⟩");
    QTest::newRow("zero width") << QByteArray("\xE2\x80\x8B") << QStringLiteral("⟨U+200B⟩");
    QTest::newRow("special") << QByteArray("<｜User｜>") << QStringLiteral("<｜User｜>");
    QTest::newRow("emoji") << QByteArray("\xF0\x9F\x90\x8B") << QStringLiteral("🐋");
    QTest::newRow("empty") << QByteArray() << QStringLiteral("⟨⟩");
}

void CandidateModelTest::invisibleBytesAreShown()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, shown);
    QCOMPARE(visibleToken({bytes.constData(), static_cast<std::size_t>(bytes.size())}), shown);
}

void CandidateModelTest::rowsOfATracedToken()
{
    CandidateModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    std::mt19937 random(1);
    const ModelInfo info = test::fakeModel();
    TokenRecord record = test::fakeToken({}, random, '9');
    model.setToken(record, info.vocabulary);
    QCOMPARE(model.rowCount(), 21);
    QCOMPARE(kind(model, 0), Kind::Candidate);
    QCOMPARE(kind(model, 1), Kind::Chosen);
    QCOMPARE(text(model, 1, CandidateModel::TokenColumn), QStringLiteral("9"));
    QCOMPARE(text(model, 8, CandidateModel::TokenColumn), QStringLiteral("␣"));
    QCOMPARE(kind(model, 20), Kind::Others);
    QCOMPARE(text(model, 20, CandidateModel::TokenColumn), QStringLiteral("all 1,004 others"));
    double sum = 0;
    for (int row = 0; row < model.rowCount(); ++row)
        sum += model.index(row, 0).data(CandidateModel::ProbabilityRole).toDouble();
    QVERIFY(std::abs(sum - 1) < 1e-5);
    record.top.front().logProb = -0.118F;
    model.setToken(record, info.vocabulary);
    QCOMPARE(text(model, 0, CandidateModel::ProbabilityColumn), QStringLiteral("88.87 %"));
    QCOMPARE(text(model, 0, CandidateModel::LogProbColumn), QStringLiteral("−0.118"));
    model.clear();
    QCOMPARE(model.rowCount(), 0);
}

void CandidateModelTest::chosenOutsideTheCandidates()
{
    CandidateModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    std::mt19937 random(1);
    TokenRecord record = test::fakeToken({}, random, 500);
    record.restMass = 0.25F;
    record.logProb = std::log(0.1F);
    model.setToken(record, test::fakeModel().vocabulary);
    QCOMPARE(model.rowCount(), 22);
    QCOMPARE(kind(model, 20), Kind::Chosen);
    QCOMPARE(text(model, 20, CandidateModel::RankColumn), QStringLiteral("–"));
    QCOMPARE(text(model, 21, CandidateModel::TokenColumn), QStringLiteral("all 1,003 others"));
    QVERIFY(std::abs(model.index(21, 0).data(CandidateModel::ProbabilityRole).toDouble() - 0.15) < 1e-6);
}

void CandidateModelTest::untracedToken()
{
    CandidateModel model;
    TokenRecord record;
    record.id = 'x';
    record.logProb = -1;
    model.setToken(record, test::fakeModel().vocabulary);
    QCOMPARE(model.rowCount(), 1);
    QCOMPARE(kind(model, 0), Kind::Chosen);
}

void CandidateModelTest::unknownVocabulary()
{
    CandidateModel model;
    std::mt19937 random(1);
    model.setToken(test::fakeToken({}, random), nullptr);
    QCOMPARE(text(model, 0, CandidateModel::TokenColumn), QStringLiteral("#56"));
    QCOMPARE(text(model, 20, CandidateModel::TokenColumn), QStringLiteral("all others"));
}

void CandidateModelTest::edges()
{
    CandidateModel model;
    std::mt19937 random(1);
    model.setToken(test::fakeToken({}, random), test::fakeModel().vocabulary);
    QVERIFY(model.index(0, 0).isValid());
    QVERIFY(model.index(20, 3).isValid());
    QVERIFY(!model.index(21, 0).isValid());
    QVERIFY(!model.index(0, 4).isValid());
    QVERIFY(!model.data(QModelIndex(), Qt::DisplayRole).isValid());
    QVERIFY(!model.index(20, 0).data(CandidateModel::TokenIdRole).isValid());
    QCOMPARE(model.headerData(3, Qt::Horizontal, Qt::DisplayRole).toString(), QStringLiteral("Log-prob."));
    QVERIFY(!model.headerData(4, Qt::Horizontal, Qt::DisplayRole).isValid());
}

void CandidateModelTest::copiesTabSeparatedRows()
{
    CandidateModel model;
    std::mt19937 random(1);
    model.setToken(test::fakeToken({}, random, '9'), test::fakeModel().vocabulary);
    const QStringList lines = model.toTsv({1, 20, 21, -1}).split(QLatin1Char('\n'));
    QCOMPARE(lines.size(), 4); // heading, two rows, and what follows the last line end
    QVERIFY(lines[1].startsWith(QStringLiteral("2\t57\t9\t")));
    QVERIFY(lines[1].endsWith(QStringLiteral("\t1")));
    QVERIFY(lines[2].startsWith(QStringLiteral("\t\tall 1,004 others\t")));
}

void CandidateModelTest::entropyIsBounded()
{
    TokenRecord record;
    record.top = {{1, std::log(0.5F)}};
    record.restMass = 0.5F;
    QVERIFY(std::abs(entropyBounds(record, 5).least - 1) < 1e-6);
    QVERIFY(std::abs(entropyBounds(record, 5).most - 2) < 1e-6);
    QVERIFY(std::isinf(entropyBounds(record, 0).most));
    record.restMass = 0;
    QCOMPARE(entropyBounds(record, 0).least, entropyBounds(record, 0).most);
}

void CandidateModelTest::aggregateEqualsCountingAfresh()
{
    const test::FakeShape shape{.layers = 5, .denseLayers = 2, .experts = 16, .expertsPerToken = 2};
    const std::vector<TokenRecord> tokens = test::fakeTokens(50, shape);
    RoutingAggregate aggregate(3, 16, 2);
    for (const TokenRecord &token : tokens)
        aggregate.add(token);
    QCOMPARE(aggregate.tokens(), 50);
    for (int layer = 0; layer < 3; ++layer) {
        double shares = 0;
        for (int expert = 0; expert < 16; ++expert) {
            std::uint32_t count = 0;
            for (const TokenRecord &token : tokens)
                for (int i = 0; i < 2; ++i)
                    count += token.experts[static_cast<std::size_t>(2 * layer + i)].expert == expert;
            QCOMPARE(aggregate.count(layer, expert), count);
            QCOMPARE(aggregate.share(layer, expert), count / 100.0);
            shares += aggregate.share(layer, expert);
        }
        QVERIFY(std::abs(shares - 1) < 1e-9);
    }
}

void CandidateModelTest::aggregateRefusesForeignShapes()
{
    RoutingAggregate aggregate(3, 4, 2);
    for (const TokenRecord &token : test::fakeTokens(5))
        aggregate.add(token); // of another model: more layers and experts
    aggregate.add(TokenRecord{});
    TokenRecord tooLarge;
    tooLarge.experts.assign(6, ExpertChoice{4, 0.5F});
    aggregate.add(tooLarge);
    QVERIFY(aggregate == RoutingAggregate(3, 4, 2));
}

QTEST_MAIN(CandidateModelTest)
#include "candidate_model_test.moc"
