// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/cache_model.h"
#include "ui/inspector/inspector.h"
#include "ui/inspector/memory_page.h"
#include "ui/theme/theme.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QLabel>
#include <QTest>

#include <algorithm>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

/// DeepSeek-V3 (section 4.2 of its report) with a cache in BF16.
ModelInfo deepseekV3()
{
    ModelInfo model = test::fakeModel();
    model.layers = 61;
    model.contextLength = 163840;
    model.attention = {
        .heads = 128, .keyDim = 192, .valueDim = 128, .keyValueHeads = 0, .latentDim = 512, .ropeDim = 64};
    model.cacheBytesPerToken = 61 * 576 * 2;
    model.memory = {.total = 80'000'000'000, .available = 70'272'000'000};
    return model;
}

/// Llama 3 8B (table 3 of its report).
ModelInfo llama3()
{
    ModelInfo model = test::fakeModel({.experts = 0});
    model.layers = 32;
    model.contextLength = 8192;
    model.attention = {
        .heads = 32, .keyDim = 128, .valueDim = 128, .keyValueHeads = 8, .latentDim = 0, .ropeDim = 0};
    model.cacheBytesPerToken = 32 * 2 * 8 * 128 * 2;
    return model;
}

QString text(const CacheModel &model, int row, int column)
{
    return model.index(row, column).data().toString();
}

} // namespace

class MemoryPageTest : public QObject {
    Q_OBJECT

private slots:
    void widthsOfLatentAttention();
    void widthsOfGroupedQueries();
    void rowsTellWhatIsHeldAndWhatIsNot();
    void theLimitIsTheModelsOrTheDevices();
    void isShownWithoutAToken();
};

/// The paper of V2 says: as little as grouped queries with 2.25 groups, there of 128 + 128 values.
void MemoryPageTest::widthsOfLatentAttention()
{
    const CacheWidths widths = cacheWidths(deepseekV3().attention);
    QCOMPARE(widths.held, 576);
    QCOMPARE(static_cast<double>(widths.held) / (128 + 128), 2.25);
    QCOMPARE(widths.multiHead, 128 * 320);
    QCOMPARE(widths.groups, 8);
    QCOMPARE(widths.grouped, 8 * 320);
    QCOMPARE(bytesPerValue(deepseekV3()), 2.0);
    QCOMPARE(cacheWidths({}).held, 0);
    QCOMPARE(bytesPerValue(ModelInfo()), 0.0);
    QCOMPARE(cacheWidths({.heads = 6, .keyDim = 64, .valueDim = 64, .latentDim = 96, .ropeDim = 16}).groups,
             3);
}

void MemoryPageTest::widthsOfGroupedQueries()
{
    const CacheWidths widths = cacheWidths(llama3().attention);
    QCOMPARE(widths.held, 2048);
    QCOMPARE(widths.grouped, 2048);
    QCOMPARE(widths.multiHead, 8192);
    QCOMPARE(bytesPerValue(llama3()), 2.0);
}

void MemoryPageTest::rowsTellWhatIsHeldAndWhatIsNot()
{
    CacheModel model;
    const QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    QCOMPARE(model.rowCount(), 0);
    model.setModel(deepseekV3());
    model.setTokens(1000);
    QCOMPARE(model.rowCount(), 3);
    QVERIFY(model.rows()[0].held && !model.rows()[1].held && !model.rows()[2].held);
    QCOMPARE(text(model, 0, CacheModel::ValuesColumn), QStringLiteral("576"));
    QCOMPARE(text(model, 0, CacheModel::TokenColumn), QStringLiteral("70 kB")); // 70,272 bytes
    QCOMPARE(text(model, 0, CacheModel::HeldColumn), QStringLiteral("70 MB"));
    QCOMPARE(text(model, 0, CacheModel::FitsColumn), QStringLiteral("1 M"));
    QCOMPARE(text(model, 2, CacheModel::ValuesColumn), QStringLiteral("40,960"));
    for (const int row : {-1, 0, 2, 3})
        for (const int column : {-1, 0, 5, 6})
            for (int role = 0; role < Qt::UserRole; ++role)
                static_cast<void>(model.data(model.index(row, column), role));
    QVERIFY(!model.headerData(6, Qt::Horizontal, Qt::DisplayRole).isValid());
    model.setModel(llama3());
    QCOMPARE(model.rowCount(), 2);
    QVERIFY(model.rows()[0].held);
    QCOMPARE(text(model, 0, CacheModel::FitsColumn), QStringLiteral("unknown"));
}

void MemoryPageTest::theLimitIsTheModelsOrTheDevices()
{
    MemoryPage page;
    page.setLoaded(deepseekV3());
    QVERIFY2(page.limitLine().contains(QStringLiteral("the model is the limit")),
             qPrintable(page.limitLine()));
    ModelInfo tight = deepseekV3();
    tight.memory.available = 70'272'000; // 1000 tokens
    page.setLoaded(tight);
    QVERIFY2(page.limitLine().contains(QStringLiteral("at most 1,000 tokens")), qPrintable(page.limitLine()));
    page.setTokens(12);
    QVERIFY(page.heldLine().startsWith(QStringLiteral("The cache holds 12 tokens, 843 kB")));
    page.setLoaded(llama3());
    QVERIFY(page.limitLine().contains(QStringLiteral("not known")));
    page.setLoaded(ModelInfo());
    QVERIFY(page.heldLine().contains(QStringLiteral("Open a model")));
}

void MemoryPageTest::isShownWithoutAToken()
{
    theme::apply(*qApp, ColorScheme::Light);
    ChatModel chat;
    Selection selection;
    Inspector inspector(&chat, &selection);
    inspector.setModel(deepseekV3());
    inspector.setCurrentPage(inspector.pageTitles().indexOf(QStringLiteral("Memory")));
    inspector.show();
    QVERIFY(inspector.memory()->isVisible());
    inspector.setCurrentPage(0); // this one needs a token
    const auto labels = inspector.findChildren<QLabel *>();
    QVERIFY(std::any_of(labels.begin(), labels.end(), [](const QLabel *label) {
        return label->isVisible() && label->text().startsWith(QStringLiteral("Click a token"));
    }));
    inspector.setCurrentPage(inspector.pageTitles().indexOf(QStringLiteral("Memory")));
    QVERIFY(inspector.memory()->isVisible());
}

QTEST_MAIN(MemoryPageTest)
#include "memory_page_test.moc"
