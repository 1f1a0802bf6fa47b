// SPDX-License-Identifier: GPL-3.0-or-later
//
// The views of probabilities, by events in an offscreen window.
#include "tests/ui/inspector/fake_reply.h"
#include "ui/inspector/answer_page.h"
#include "ui/inspector/answer_strip.h"
#include "ui/inspector/candidate_view.h"
#include "ui/inspector/distribution_view.h"
#include "ui/inspector/experts_page.h"
#include "ui/inspector/fork_comparison.h"
#include "ui/inspector/fork_map.h"
#include "ui/inspector/fork_view.h"
#include "ui/inspector/inspector.h"
#include "ui/inspector/rank_view.h"
#include "ui/inspector/score_panel.h"
#include "ui/inspector/token_page.h"
#include "ui/inspector/token_search.h"
#include "ui/inspector/version_text.h"
#include "ui/theme/theme.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>

#include <cmath>

using namespace bathyscope;
using namespace bathyscope::ui;

namespace {

/// Keeps what is asked; the test answers.
class FakeSource : public AnalysisSource {
public:
    QString objection(MessageId) const override { return why; }
    std::int64_t ask(MessageId, const AnalysisOptions &options) override
    {
        asked.push_back(options);
        return ++last;
    }
    std::int64_t score(const QString &text, const AnalysisOptions &) override
    {
        scored = text;
        return ++last;
    }
    void answer(Analysis analysis)
    {
        emit answered(last, std::make_shared<const Analysis>(std::move(analysis)));
    }

    QString why;
    QString scored;
    std::vector<AnalysisOptions> asked;
    std::int64_t last = 0;
};

/// 200 ranks that fall by a power law; top-p kept three of them.
Analysis fakeAnalysis(TokenId chosen)
{
    PositionAnalysis position;
    position.record.id = chosen;
    position.record.bytes = "x";
    double sum = 0;
    for (int rank = 1; rank <= 200; ++rank)
        sum += std::pow(rank, -2.0);
    SamplerOutcome sampler;
    sampler.parameters.topP = 0.9F;
    for (int rank = 1; rank <= 200; ++rank) {
        position.record.top.push_back(
            {rank == 1 ? chosen : 400 + rank, static_cast<float>(std::log(std::pow(rank, -2.0) / sum))});
        sampler.candidates.push_back(rank <= 3 ? SampledCandidate{0.3F, {}}
                                               : SampledCandidate{0, SamplerStage::TopP});
    }
    position.record.logProb = position.record.top.front().logProb;
    position.rank = 1;
    sampler.kept = 3;
    sampler.removed[static_cast<std::size_t>(SamplerStage::TopP)] = 1021;
    position.asked = {{1000, 77, -9.5F}, {'7', 2, -1.5F}};
    position.sampler = std::move(sampler);
    Analysis analysis;
    analysis.ids = {chosen};
    analysis.positions.push_back(std::move(position));
    return analysis;
}

} // namespace

class ProbabilitiesTest : public QObject {
    Q_OBJECT

private slots:
    void init();
    void cleanup();
    void moreRanksAreMeasuredOnDemand();
    void theSamplersStageIsNamed();
    void vocabularyIsSearched();
    void findsTheLikeliestMeaningFirst();
    void powerLawIsToldAndPinned();
    void anObjectionIsShown();
    void enterForksAndOwnTextForks();
    void stripSelectsByClickAndDrag();
    void stripFindsTokensNarrowerThanPixels();
    void entropiesAreMeasuredOnceTheReplyHasEnded();
    void perplexitiesOfTheParts();
    void scoresAText();
    void versionsAreSetSideBySide();

private:
    [[nodiscard]] DistributionView *distribution() const { return m_inspector->tokenPage()->distribution(); }
    [[nodiscard]] AnswerStrip *strip() const { return m_inspector->answerPage()->strip(); }
    [[nodiscard]] QString cell(int row, int column) const
    {
        return distribution()->candidates()->index(row, column).data().toString();
    }
    void selectAndAnswer(int token);

    std::unique_ptr<ChatModel> m_chat;
    std::unique_ptr<Selection> m_selection;
    std::unique_ptr<FakeSource> m_source;
    std::unique_ptr<Inspector> m_inspector;
};

void ProbabilitiesTest::init()
{
    theme::apply(*qApp, ColorScheme::Light);
    m_chat = std::make_unique<ChatModel>();
    m_selection = std::make_unique<Selection>();
    m_source = std::make_unique<FakeSource>();
    m_inspector = std::make_unique<Inspector>(m_chat.get(), m_selection.get());
    m_inspector->setModel(test::fakeModel());
    m_inspector->setAnalysisSource(m_source.get());
    m_inspector->resize(468, 1200);
    m_inspector->show();
    m_inspector->activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(m_inspector.get()));
    m_chat->appendMessage(test::fakeReply(5, 20));
    m_chat->finish(5, MessageState::Complete, {});
}

void ProbabilitiesTest::cleanup()
{
    m_inspector.reset();
}

void ProbabilitiesTest::selectAndAnswer(int token)
{
    const std::size_t before = m_source->asked.size();
    m_selection->setToken(TokenPosition{5, token});
    QTRY_COMPARE(m_source->asked.size(), before + 1);
    QCOMPARE(m_source->asked.back().first, token);
    m_source->answer(fakeAnalysis('0' + token % 10));
}

void ProbabilitiesTest::moreRanksAreMeasuredOnDemand()
{
    const QAbstractItemModelTester tester(distribution()->candidates());
    selectAndAnswer(2);
    QCOMPARE(distribution()->candidates()->rowCount(), 21);
    distribution()->setRankCount(200);
    QCOMPARE(distribution()->candidates()->rowCount(), 201);
    QCOMPARE(cell(199, CandidateModel::RankColumn), QStringLiteral("200"));
    QVERIFY(distribution()->note().contains(QStringLiteral("anew")));
    QVERIFY(!distribution()->candidates()->index(201, 0).isValid());
    QCOMPARE(distribution()->candidates()->data(distribution()->candidates()->index(201, 0)), QVariant());
    QVERIFY2(distribution()->findChild<CandidateView *>()->height() < 600, "what is more scrolls");
    m_selection->setToken(TokenPosition{5, 4}); // nothing measured yet: what was recorded
    QCOMPARE(distribution()->candidates()->rowCount(), 21);
}

void ProbabilitiesTest::theSamplersStageIsNamed()
{
    selectAndAnswer(2);
    distribution()->setRankCount(200);
    distribution()->setState(CandidateModel::State::Sampler);
    QCOMPARE(cell(0, CandidateModel::ProbabilityColumn), QStringLiteral("30.00 %"));
    QCOMPARE(cell(0, CandidateModel::LogProbColumn), QString());
    QCOMPARE(cell(3, CandidateModel::LogProbColumn), QStringLiteral("top-p"));
    QCOMPARE(cell(3, CandidateModel::ProbabilityColumn), QStringLiteral("–"));
    QCOMPARE(distribution()->candidates()->headerData(3, Qt::Horizontal, Qt::DisplayRole).toString(),
             QStringLiteral("Removed by"));
    QVERIFY(distribution()->note().contains(QStringLiteral("top-p removed 1,021")));
    QVERIFY(distribution()->note().contains(QStringLiteral("derived")));
    distribution()->setState(CandidateModel::State::Model);
    QVERIFY(cell(3, CandidateModel::LogProbColumn).startsWith(QChar(0x2212)));
}

void ProbabilitiesTest::vocabularyIsSearched()
{
    selectAndAnswer(2);
    distribution()->search(QStringLiteral("the"));
    QTRY_COMPARE(m_source->asked.size(), std::size_t(2));
    QCOMPARE(m_source->asked.back().tokens, std::vector<TokenId>{1000});
    m_source->answer(fakeAnalysis('2'));
    const CandidateModel *found = distribution()->found();
    const QAbstractItemModelTester tester(const_cast<CandidateModel *>(found));
    QCOMPARE(found->rowCount(), 2); // by rank
    QCOMPARE(found->index(1, CandidateModel::RankColumn).data().toString(), QStringLiteral("77"));
    QCOMPARE(found->index(1, CandidateModel::TokenColumn).data().toString(), QStringLiteral("␣the"));
}

void ProbabilitiesTest::findsTheLikeliestMeaningFirst()
{
    const Vocabulary vocabulary{"theory", "other", "the", " the", "\n", "x"};
    QCOMPARE(findTokens(vocabulary, QStringLiteral("the"), 10), (std::vector<TokenId>{2, 3, 0, 1}));
    QCOMPARE(findTokens(vocabulary, QStringLiteral("the"), 2), (std::vector<TokenId>{2, 3}));
    QCOMPARE(findTokens(vocabulary, QStringLiteral("␣the"), 10), (std::vector<TokenId>{3}));
    QCOMPARE(findTokens(vocabulary, QStringLiteral("↵"), 10), (std::vector<TokenId>{4}));
    QCOMPARE(findTokens(vocabulary, QStringLiteral("#5"), 10), (std::vector<TokenId>{5}));
    QVERIFY(findTokens(vocabulary, QStringLiteral("#6"), 10).empty());
    QVERIFY(findTokens(vocabulary, QString(), 10).empty());
}

void ProbabilitiesTest::powerLawIsToldAndPinned()
{
    selectAndAnswer(2);
    RankView *ranks = distribution()->ranks();
    QVERIFY2(ranks->readout().contains(QStringLiteral("slope −2.00 · ranks 1–200 · R² 1.000")),
             qPrintable(ranks->readout()));
    ranks->findChild<QToolButton *>()->click();
    const QString pinned = QStringLiteral("pinned 2 at 3: slope −2.00");
    QVERIFY2(ranks->pinnedReadout().startsWith(pinned), qPrintable(ranks->pinnedReadout()));
    m_selection->setToken(TokenPosition{5, 3});
    QVERIFY(ranks->pinnedReadout().startsWith(pinned));
    QCOMPARE(m_selection->pinned().at, (TokenPosition{5, 2}));
    m_inspector->setCurrentPage(2); // the same pin on another page
    const auto buttons = m_inspector->experts()->findChildren<QToolButton *>();
    QVERIFY(std::any_of(buttons.begin(), buttons.end(), [](const QToolButton *button) {
        return button->isChecked() && button->text() == QStringLiteral("Pinned: 2 at 3");
    }));
    m_inspector->togglePin();
    QVERIFY(!m_selection->pinned());
    QVERIFY(ranks->pinnedReadout().isEmpty());
    m_inspector->togglePin();
    QCOMPARE(m_selection->pinned().at, (TokenPosition{5, 3}));
}

void ProbabilitiesTest::anObjectionIsShown()
{
    m_source->why = QStringLiteral("Another model wrote this answer.");
    m_selection->setToken(TokenPosition{5, 2});
    distribution()->setState(CandidateModel::State::Sampler);
    QTRY_VERIFY(distribution()->note().contains(m_source->why));
    QTest::qWait(200);
    QVERIFY(m_source->asked.empty());
    QCOMPARE(cell(0, CandidateModel::ProbabilityColumn), QStringLiteral("–"));
}

void ProbabilitiesTest::enterForksAndOwnTextForks()
{
    selectAndAnswer(2);
    QSignalSpy forks(m_inspector.get(), &Inspector::forkRequested);
    QSignalSpy texts(m_inspector.get(), &Inspector::forkTextRequested);
    auto *table = distribution()->findChild<CandidateTable *>();
    table->setFocus();
    table->setCurrentIndex(table->model()->index(1, 0));
    QTest::keyClick(table, Qt::Key_Return);
    QCOMPARE(forks.size(), 1);
    QCOMPARE(forks.last().at(0).value<TokenPosition>(), (TokenPosition{5, 2}));
    QCOMPARE(forks.last().at(1).value<TokenId>(), TokenId('9'));
    table->setCurrentIndex(table->model()->index(table->model()->rowCount() - 1, 0)); // the others
    QTest::keyClick(table, Qt::Key_Return);
    QCOMPARE(forks.size(), 1);
    for (QLineEdit *field : distribution()->findChildren<QLineEdit *>()) {
        if (!field->accessibleName().contains(QStringLiteral("Own text")))
            continue;
        QTest::keyClick(field, Qt::Key_Return); // empty
        QTest::keyClicks(field, QStringLiteral(" or not"));
        QTest::keyClick(field, Qt::Key_Return);
    }
    QCOMPARE(texts.size(), 1);
    QCOMPARE(texts.last().at(1).toString(), QStringLiteral(" or not"));
}

void ProbabilitiesTest::stripSelectsByClickAndDrag()
{
    m_inspector->setCurrentPage(1);
    m_selection->setToken(TokenPosition{5, 0});
    QCOMPARE(strip()->count(), 20);
    QTest::mouseClick(strip(), Qt::LeftButton, {}, strip()->tokenRect(7).center());
    QCOMPARE(m_selection->token(), std::optional(TokenPosition{5, 7}));
    QTest::mousePress(strip(), Qt::LeftButton, {}, strip()->tokenRect(4).center());
    QTest::mouseMove(strip(), strip()->tokenRect(9).center());
    QTest::mouseRelease(strip(), Qt::LeftButton, {}, strip()->tokenRect(9).center());
    QCOMPARE(m_selection->range(), std::optional(TokenRange{5, 4, 9}));
    QCOMPARE(m_inspector->answerPage()->perplexity(AnswerPage::Part::Selection).isEmpty(), false);
    QTest::mouseMove(strip(), strip()->tokenRect(2).center());
    QCOMPARE(m_selection->hoveredToken(), std::optional(TokenPosition{5, 2}));
    QVERIFY(strip()->readout().startsWith(QStringLiteral("Token 3 ·")));
    QTest::keyClick(strip(), Qt::Key_Right, Qt::ShiftModifier);
    QCOMPARE(m_selection->range(), std::optional(TokenRange{5, 4, 10}));
    m_selection->undo();
    m_selection->undo();
    QCOMPARE(m_selection->range(), std::optional(TokenRange{5, 4, 4}));
    QVERIFY(!strip()->tokenAt(0)); // left of the plot
    QVERIFY(!strip()->tokenAt(strip()->width() - 1)); // behind the last token
}

void ProbabilitiesTest::stripFindsTokensNarrowerThanPixels()
{
    m_chat->appendMessage(test::fakeReply(6, 3000));
    m_inspector->setCurrentPage(1);
    m_selection->setToken(TokenPosition{6, 0});
    QCOMPARE(strip()->count(), 3000);
    for (const int token : {0, 3, 1501, 2999}) {
        const auto found = strip()->tokenAt(strip()->tokenRect(token).left());
        QVERIFY(found);
        QVERIFY2(std::abs(*found - token) < 16, "in the same column");
    }
}

void ProbabilitiesTest::entropiesAreMeasuredOnceTheReplyHasEnded()
{
    m_chat->appendMessage(test::fakeReply(6, 300));
    m_inspector->setCurrentPage(1);
    m_selection->setToken(TokenPosition{6, 1});
    QVERIFY(m_source->asked.empty()); // it is written still
    QVERIFY2(strip()->readout().endsWith(QStringLiteral("derived")), qPrintable(strip()->readout()));
    m_chat->finish(6, MessageState::Complete, {});
    const auto answer = [this](int from) {
        QTRY_VERIFY(!m_source->asked.empty());
        const AnalysisOptions asked = m_source->asked.back();
        QCOMPARE(asked.first, from);
        Analysis analysis;
        analysis.positions.resize(static_cast<std::size_t>(asked.count));
        for (PositionAnalysis &position : analysis.positions)
            position.entropy = 1.5F;
        m_source->asked.clear();
        m_source->answer(std::move(analysis));
    };
    answer(0);
    QVERIFY2(strip()->readout().endsWith(QStringLiteral("entropy 1.50 bit, measured")),
             qPrintable(strip()->readout()));
    m_selection->setToken(TokenPosition{6, 299});
    QVERIFY(strip()->readout().endsWith(QStringLiteral("derived")));
    answer(256);
    QVERIFY(strip()->readout().endsWith(QStringLiteral("measured")));
    QVERIFY(m_source->asked.empty());
}

void ProbabilitiesTest::perplexitiesOfTheParts()
{
    ChatMessage message;
    message.id = 8;
    message.role = bathyscope::Role::Assistant;
    const std::pair<Section, double> tokens[] = {{Section::Reasoning, 0.5},
                                                 {Section::Reasoning, 0.125},
                                                 {Section::Marker, 0.9},
                                                 {Section::Answer, 0.25}};
    for (const auto &[section, probability] : tokens) {
        TokenRecord record;
        record.section = section;
        record.bytes = "a";
        record.logProb = static_cast<float>(std::log(probability));
        message.append(std::move(record));
    }
    m_chat->appendMessage(std::move(message));
    m_inspector->setCurrentPage(1);
    m_selection->setRange(8, 0, 1);
    const AnswerPage *page = m_inspector->answerPage();
    QCOMPARE(page->perplexity(AnswerPage::Part::Reasoning), QStringLiteral("4.000"));
    QCOMPARE(page->perplexity(AnswerPage::Part::Answer), QStringLiteral("4.000"));
    QCOMPARE(page->perplexity(AnswerPage::Part::Selection), QStringLiteral("4.000"));
    m_selection->setToken(TokenPosition{8, 0});
    QCOMPARE(page->perplexity(AnswerPage::Part::Selection), QStringLiteral("2.000"));
}

void ProbabilitiesTest::scoresAText()
{
    ScorePanel *panel = m_inspector->answerPage()->scorePanel();
    const QAbstractItemModelTester tester(panel->model());
    panel->score(QStringLiteral("So"));
    QCOMPARE(m_source->scored, QStringLiteral("So"));
    Analysis analysis = fakeAnalysis('2');
    analysis.positions.front().record.logProb = static_cast<float>(std::log(0.25));
    m_source->answer(analysis);
    QCOMPARE(panel->model()->rowCount(), 1);
    QCOMPARE(panel->model()->index(0, ScoreModel::ProbabilityColumn).data().toString(),
             QStringLiteral("25.00 %"));
    QVERIFY(!panel->model()->index(1, 0).isValid());
    QVERIFY(panel->summary().contains(QStringLiteral("perplexity 4.00")));
    panel->score(QStringLiteral("So"));
    Analysis failed;
    failed.error = "No model is loaded.";
    m_source->answer(failed);
    QCOMPARE(panel->summary(), QStringLiteral("No model is loaded."));
    QCOMPARE(panel->model()->rowCount(), 0);
}

void ProbabilitiesTest::versionsAreSetSideBySide()
{
    const auto version = [](MessageId id, const std::string &text) {
        ChatMessage message;
        message.id = id;
        message.role = bathyscope::Role::Assistant;
        for (const char letter : text) {
            TokenRecord record;
            record.id = letter;
            record.bytes = std::string(1, letter);
            record.logProb = static_cast<float>(std::log(0.5));
            record.experts = {{static_cast<std::uint16_t>(letter % 2), 1}, {3, 1}};
            message.append(std::move(record));
        }
        return message;
    };
    const auto versions = std::make_shared<const std::vector<ChatMessage>>(
        std::vector<ChatMessage>{version(30, "abcd"), version(31, "abef!")});
    m_chat->appendMessage(version(31, "abef!"));
    m_inspector->setCurrentPage(1);
    m_selection->setToken(TokenPosition{31, 0});
    ForkView *view = m_inspector->answerPage()->forks();
    QVERIFY(!view->isVisible());
    m_inspector->addVersions(versions);
    QVERIFY(view->isVisible());
    ForkComparison *table = view->comparison();
    const QAbstractItemModelTester tester(table);
    QCOMPARE(table->forkToken(), 2);
    QCOMPARE(table->rowCount(), 3);
    table->setPair({versions, 1, 0}, 1);
    const auto cell = [table](int row, int column) { return table->index(row, column).data().toString(); };
    QCOMPARE(cell(0, ForkComparison::PlaceColumn), QStringLiteral("3"));
    QCOMPARE(cell(0, ForkComparison::LeftColumn), QStringLiteral("e"));
    QCOMPARE(cell(0, ForkComparison::RightColumn), QStringLiteral("c"));
    QCOMPARE(cell(0, ForkComparison::LeftProbabilityColumn), QStringLiteral("50.00 %"));
    QCOMPARE(cell(0, ForkComparison::ExpertsColumn), QStringLiteral("100 %")); // both odd
    QCOMPARE(cell(2, ForkComparison::RightColumn), QString()); // the shorter one has ended
    QCOMPARE(cell(2, ForkComparison::ExpertsColumn), QStringLiteral("–"));
    QVERIFY(!table->index(3, 0).isValid());
    table->setPair({versions, 1, 0}, 2);
    QCOMPARE(cell(0, ForkComparison::ExpertsColumn), QStringLiteral("100 %"));
    QCOMPARE(cell(1, ForkComparison::ExpertsColumn), QStringLiteral("100 %")); // d and f are even
    QCOMPARE(table->sharedExperts(), std::optional(1.0));
    // Whole texts, and all of them follow the selection and set it.
    QCOMPARE(view->text(true)->toPlainText(), QStringLiteral("abef!"));
    QCOMPARE(view->text(false)->toPlainText(), QStringLiteral("abcd"));
    m_selection->setToken(TokenPosition{31, 3});
    QCOMPARE(view->text(true)->markedToken(), 3);
    QCOMPARE(view->text(false)->markedToken(), 3);
    VersionText *text = view->text(false);
    QTextCursor place(text->document());
    place.setPosition(2); // before "c"
    QTest::mouseClick(text->viewport(), Qt::LeftButton, {}, text->cursorRect(place).center() + QPoint(2, 0));
    QCOMPARE(m_selection->token(), std::optional(TokenPosition{31, 2}));
    QCOMPARE(view->text(true)->markedToken(), 2);
    QVERIFY(view->summary().startsWith(QStringLiteral("They part at token 3")));
    QSignalSpy wanted(m_inspector.get(), &Inspector::siblingRequested);
    QTest::mouseClick(view->map(), Qt::LeftButton, {}, view->map()->branchRect(1).center()); // it is shown
    QVERIFY(wanted.isEmpty());
    QTest::mouseClick(view->map(), Qt::LeftButton, {}, view->map()->branchRect(0).center());
    QCOMPARE(wanted.last().at(1).toInt(), -1);
    view->map()->setFocus();
    QTest::keyClick(view->map(), Qt::Key_Up);
    QCOMPARE(wanted.size(), 2);
    QTest::keyClick(view->map(), Qt::Key_Down); // the last one
    QCOMPARE(wanted.size(), 2);
}

QTEST_MAIN(ProbabilitiesTest)
#include "probabilities_test.moc"
