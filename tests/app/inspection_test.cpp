// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the inspector shows and exports, beside what `bathyscope-trace` says of the same tokens.
#include "app/program.h"
#include "engine/session/local_backend.h"
#include "tests/engine/reference_data.h"
#include "ui/chat/chat_view.h"
#include "ui/inspector/answer_page.h"
#include "ui/inspector/answer_strip.h"
#include "ui/inspector/candidate_model.h"
#include "ui/inspector/distribution_view.h"
#include "ui/inspector/inspector.h"
#include "ui/inspector/token_page.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bathyscope::app {

namespace {

constexpr auto question = "What is 25 * 37?";

/// Natural logarithms of the probabilities, from `logits` [tokens, vocab_size].
std::vector<double> logProbsOf(const std::vector<float> &logits, std::size_t token, std::size_t vocabulary)
{
    const auto row = logits.begin() + static_cast<std::ptrdiff_t>(token * vocabulary);
    std::vector<double> values(row, row + static_cast<std::ptrdiff_t>(vocabulary));
    const double largest = *std::max_element(values.begin(), values.end());
    const double sum = std::accumulate(values.begin(), values.end(), 0.0, [largest](double so, double value) {
        return so + std::exp(value - largest);
    });
    for (double &value : values)
        value -= largest + std::log(sum);
    return values;
}

/// Lines of a JSON Lines file, without what differs from run to run: the time.
QStringList linesOf(const QString &path)
{
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly))
        return {};
    static const QRegularExpression seconds(QStringLiteral("\"[a-z_]*seconds\":[0-9.e+-]+"));
    return QString::fromUtf8(file.readAll())
        .replace(seconds, QStringLiteral("\"seconds\":0"))
        .split(QLatin1Char('\n'), Qt::SkipEmptyParts);
}

} // namespace

class InspectionTest : public QObject {
    Q_OBJECT

private slots:
    void initTestCase();
    void cleanupTestCase();
    void theTableShowsTheLogitsOfTheTool();
    void theStripShowsTheEntropyOfTheLogits();
    void theTraceIsTheOneOfTheTool();
    void oneKeyPinsAndLetsGo();
    void aForkAnswersBesideTheOldAnswer();

private:
    [[nodiscard]] QString path(const QString &name) const { return m_folder.filePath(name); }
    [[nodiscard]] const ui::ChatMessage &reply() const
    {
        const ui::ChatModel *messages = m_program->controller().messages();
        return messages->message(messages->rowCount() - 1);
    }
    [[nodiscard]] ui::Inspector *inspector() const { return m_program->window().inspector(); }
    void runTool(const QStringList &arguments);
    void askTool(); ///< `logits` for the prompt and the reply
    void select(int token)
    {
        m_program->controller().selection()->setToken(ui::TokenPosition{reply().id, token});
    }
    /// The row of the tool's tensors that the token was chosen from.
    [[nodiscard]] std::size_t rowOf(int token) const
    {
        return m_promptTokens + static_cast<std::size_t>(token) - 1;
    }

    QTemporaryDir m_folder;
    std::unique_ptr<Program> m_program;
    std::unique_ptr<SafetensorsFile> m_tool;
    std::vector<float> m_logits; ///< [tokens, vocab_size]
    std::size_t m_promptTokens = 0;
    std::size_t m_vocabulary = 0;
};

void InspectionTest::initTestCase()
{
    Options options;
    options.offscreen = true;
    options.temperature = 0.0F;
    m_program = std::make_unique<Program>(options, m_folder.path(), openHistory(m_folder.path()));
    m_program->start();
    QTRY_VERIFY_WITH_TIMEOUT(m_program->controller().model() != nullptr, 20000);
    m_program->controller().ask(QString::fromLatin1(question));
    QVERIFY(m_program->controller().isReplying());
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->controller().isReplying(), 60000);
    m_vocabulary = m_program->controller().model()->vocabulary->size();
    askTool();
}

void InspectionTest::cleanupTestCase()
{
    m_program.reset();
}

void InspectionTest::runTool(const QStringList &arguments)
{
    QProcess tool;
    tool.setStandardOutputFile(QProcess::nullDevice());
    tool.start(QStringLiteral(BATHYSCOPE_TRACE), arguments);
    QVERIFY(tool.waitForFinished(60000));
    QVERIFY2(tool.exitCode() == 0, tool.readAllStandardError().constData());
}

void InspectionTest::askTool()
{
    const LocalBackend backend(builtinModel, {});
    std::vector<TokenId> ids = backend.preparePrompt(m_program->controller().promptOf(reply().id)).ids;
    m_promptTokens = ids.size();
    for (const TokenRecord &token : reply().tokens)
        ids.push_back(token.id);
    QStringList numbers;
    for (const TokenId id : ids)
        numbers << QString::number(id);
    QFile file(path(QStringLiteral("ids.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QStringLiteral("[%1]").arg(numbers.join(QLatin1Char(','))).toUtf8());
    file.close();
    const QString out = path(QStringLiteral("logits.safetensors"));
    runTool({QStringLiteral("logits"), QStringLiteral("--model"), QString::fromStdString(builtinModel),
             QStringLiteral("--ids"), file.fileName(), QStringLiteral("--out"), out});
    m_tool = std::make_unique<SafetensorsFile>(out.toStdString());
    m_logits = tensorValues<float>(*m_tool, "logits");
    QCOMPARE(m_logits.size(), ids.size() * m_vocabulary);
}

/// All 1,000 ranks of some tokens, in reasoning and answer: ids, order and probabilities; and the experts.
void InspectionTest::theTableShowsTheLogitsOfTheTool()
{
    const auto layers = m_program->controller().model()->moeLayers;
    const auto perToken = static_cast<std::size_t>(m_program->controller().model()->expertsPerToken);
    ui::DistributionView *view = inspector()->tokenPage()->distribution();
    inspector()->setCurrentPage(0);
    view->setRankCount(1000);
    const int last = static_cast<int>(reply().tokens.size()) - 1;
    for (const int token : {0, last / 3, last / 2, last}) {
        select(token);
        const ui::CandidateModel *table = view->candidates();
        QTRY_VERIFY(table->rowCount() > 1000);
        const std::vector<double> logProbs = logProbsOf(m_logits, rowOf(token), m_vocabulary);
        double previous = 0;
        for (int row = 0; row < 1000; ++row) {
            const QModelIndex index = table->index(row, ui::CandidateModel::LogProbColumn);
            const auto id = index.data(ui::CandidateModel::TokenIdRole).value<std::size_t>();
            const double shown = std::log(index.data(ui::CandidateModel::ProbabilityRole).toDouble());
            QVERIFY2(std::abs(shown - logProbs[id]) < 1e-4,
                     qPrintable(QString::number(shown - logProbs[id])));
            const QString text = index.data().toString().replace(QChar(0x2212), QLatin1Char('-'));
            QVERIFY(std::abs(text.toDouble() - logProbs[id]) < 0.0005 + 1e-4); // three decimals
            QVERIFY(row == 0 || shown <= previous);
            previous = shown;
        }
        const std::vector<ExpertChoice> &experts = reply().tokens[static_cast<std::size_t>(token)].experts;
        QCOMPARE(experts.size(), layers.size() * perToken);
        for (std::size_t i = 0; i < experts.size(); ++i) {
            const std::string router = "router." + std::to_string(layers[i / perToken]);
            const std::size_t at = rowOf(token) * perToken + i % perToken;
            QCOMPARE(int(experts[i].expert), tensorValues<std::int32_t>(*m_tool, router + ".ids")[at]);
            const float weight = tensorValues<float>(*m_tool, router + ".weights")[at];
            QVERIFY(std::abs(experts[i].weight - weight) < 1e-4F);
        }
    }
}

void InspectionTest::theStripShowsTheEntropyOfTheLogits()
{
    inspector()->setCurrentPage(1);
    const ui::AnswerStrip *strip = inspector()->answerPage()->strip();
    for (int token = 0; token < static_cast<int>(reply().tokens.size()); token += 7) {
        select(token);
        QTRY_VERIFY(strip->readout().endsWith(QStringLiteral("measured")));
        double bits = 0;
        for (const double logProb : logProbsOf(m_logits, rowOf(token), m_vocabulary))
            bits -= std::exp(logProb) * logProb / std::log(2.0);
        static const QRegularExpression number(QStringLiteral("entropy ([0-9.]+) bit"));
        const double shown = number.match(strip->readout()).captured(1).toDouble();
        QVERIFY2(std::abs(shown - bits) < 0.005 + 1e-4, qPrintable(strip->readout())); // two decimals
    }
}

void InspectionTest::theTraceIsTheOneOfTheTool()
{
    for (const char *format : {"jsonl", "safetensors"}) {
        const QString ending = QString::fromLatin1(format);
        const QString ours = path(QStringLiteral("window.") + ending);
        const QString theirs = path(QStringLiteral("tool.") + ending);
        emit m_program->window().traceRequested(ours);
        QTRY_VERIFY(QFile::exists(ours));
        QTRY_VERIFY(m_program->window().shownNotice().contains(QStringLiteral("window.") + ending));
        runTool({QStringLiteral("generate"), QStringLiteral("--prompt"), QString::fromLatin1(question),
                 QStringLiteral("--temperature"), QStringLiteral("0"), QStringLiteral("--inspect"),
                 QStringLiteral("--out"), theirs});
    }
    const QStringList lines = linesOf(path(QStringLiteral("window.jsonl")));
    QCOMPARE(lines, linesOf(path(QStringLiteral("tool.jsonl"))));
    QCOMPARE(lines.size(), 2 + static_cast<int>(reply().tokens.size()) + 1);
    for (const QString &line : lines)
        QVERIFY(QJsonDocument::fromJson(line.toUtf8()).isObject());
    const SafetensorsFile ours(path(QStringLiteral("window.safetensors")).toStdString());
    const SafetensorsFile theirs(path(QStringLiteral("tool.safetensors")).toStdString());
    QCOMPARE(ours.tensors().size(), theirs.tensors().size());
    for (const auto &[name, tensor] : ours.tensors()) {
        const StoredTensor &other = theirs.tensors().at(name);
        QVERIFY2(tensor.shape == other.shape && tensor.typeName == other.typeName, name.c_str());
        QVERIFY2(std::ranges::equal(tensor.bytes, other.bytes), name.c_str());
    }
    const ModelInfo &model = *m_program->controller().model();
    QCOMPARE(ours.tensors().at("reply.0.router.ids").shape,
             (std::vector<std::int64_t>{std::ssize(reply().tokens), std::ssize(model.moeLayers),
                                        model.expertsPerToken}));
}

void InspectionTest::oneKeyPinsAndLetsGo()
{
    ui::MainWindow &window = m_program->window();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    const ui::Selection *selection = m_program->controller().selection();
    for (int page = 0; page < 3; ++page) {
        inspector()->setCurrentPage(page);
        select(10 + page);
        QTest::keyClick(&window, Qt::Key_P, Qt::AltModifier);
        QCOMPARE(selection->pinned().at, (ui::TokenPosition{reply().id, 10 + page}));
        QTest::keyClick(&window, Qt::Key_P, Qt::AltModifier);
        QVERIFY(!selection->pinned());
    }
}

void InspectionTest::aForkAnswersBesideTheOldAnswer()
{
    constexpr int place = 12;
    const MessageId old = reply().id;
    const std::vector<TokenRecord> before = reply().tokens;
    const TokenId other = before[place].top[1].id;
    emit inspector()->forkRequested(ui::TokenPosition{old, place}, other);
    QTRY_VERIFY_WITH_TIMEOUT(!m_program->controller().isReplying(), 60000);
    QVERIFY(reply().id != old);
    for (int token = 0; token < place; ++token)
        QCOMPARE(reply().tokens[static_cast<std::size_t>(token)].id,
                 before[static_cast<std::size_t>(token)].id);
    QCOMPARE(reply().tokens[place].id, other);
    const int reused = reply().summary->reusedTokens;
    QVERIFY2(reused >= static_cast<int>(m_promptTokens) + place - 1,
             "what both have in common is not computed again");
    const ui::ChatView *chat = m_program->window().chat();
    QTRY_VERIFY(!chat->actionRect(reply().id, ui::Action::ShowSibling, 0).isEmpty());
    QCOMPARE(m_program->window().shownError(), QString());
}

} // namespace bathyscope::app

QTEST_MAIN(bathyscope::app::InspectionTest)
#include "inspection_test.moc"
