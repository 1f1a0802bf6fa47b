// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/distribution_view.h"

#include "ui/inspector/candidate_view.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/rank_view.h"
#include "ui/inspector/token_search.h"
#include "ui/theme/theme.h"

#include <QButtonGroup>
#include <QComboBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QLocale>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

constexpr int mostRows = 22; // of the table; 20 candidates, the chosen one, the others
constexpr int mostFoundRows = 6;
constexpr std::size_t mostFound = 50;
constexpr int settled = 120; // ms that a token is looked at before more is asked about it
constexpr int rankChoices[] = {20, 50, 200, 1000};

QToolButton *segment(const QString &text, const char *place, const QString &keys, QWidget *parent)
{
    auto *button = new QToolButton(parent);
    button->setText(text);
    button->setCheckable(true);
    button->setFont(theme::smallFont());
    button->setProperty("segment", QLatin1String(place));
    button->setFocusPolicy(Qt::StrongFocus);
    button->setToolTip(keys);
    button->setShortcut(QKeySequence(keys));
    return button;
}

/// The record with at most `count` candidates; what is cut off counts as rest.
TokenRecord cutAt(TokenRecord record, int count)
{
    double rest = record.restMass;
    while (record.top.size() > static_cast<std::size_t>(count)) {
        rest += std::exp(static_cast<double>(record.top.back().logProb));
        record.top.pop_back();
    }
    record.restMass = static_cast<float>(rest);
    return record;
}

} // namespace

DistributionView::DistributionView(Selection *selection, QWidget *parent)
    : QWidget(parent)
    , m_model(new CandidateModel(this))
    , m_found(new CandidateModel(this))
    , m_modelButton(segment(tr("Model"), "first", QStringLiteral("Alt+M"), this))
    , m_samplerButton(segment(tr("After the sampler"), "last", QStringLiteral("Alt+S"), this))
    , m_ranks(new QComboBox(this))
    , m_table(new CandidateView(m_model, mostRows, this))
    , m_note(new QLabel(this))
    , m_search(new QLineEdit(this))
    , m_foundTable(new CandidateView(m_found, mostFoundRows, this))
    , m_ownText(new QLineEdit(this))
    , m_rankView(new RankView(selection, this))
{
    buildControls();
    connectControls();
    m_askTimer.setSingleShot(true);
    m_askTimer.setInterval(settled);
    connect(&m_askTimer, &QTimer::timeout, this, &DistributionView::ask);
}

void DistributionView::buildControls()
{
    m_modelButton->setChecked(true);
    for (const int count : rankChoices)
        m_ranks->addItem(tr("%1 ranks").arg(QLocale(QLocale::English).toString(count)), count);
    m_ranks->setAccessibleName(tr("Number of ranks"));
    m_ranks->setFont(theme::smallFont());
    m_note->setFont(theme::smallFont());
    m_note->setProperty("role", QStringLiteral("secondary"));
    m_note->setWordWrap(true);
    m_search->setPlaceholderText(tr("Any token of the vocabulary: its rank and probability here"));
    m_search->setAccessibleName(tr("Search in the vocabulary"));
    m_ownText->setPlaceholderText(tr("Go on from here with a text of your own ⏎"));
    m_ownText->setAccessibleName(tr("Own text in place of this token"));
    m_foundTable->hide();
    auto *states = new QHBoxLayout;
    states->setSpacing(0);
    states->addWidget(m_modelButton);
    states->addWidget(m_samplerButton);
    states->addStretch(1);
    states->addWidget(m_ranks);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addLayout(states);
    layout->addWidget(m_table);
    layout->addWidget(m_note);
    layout->addWidget(m_ownText);
    layout->addWidget(m_search);
    layout->addWidget(m_foundTable);
    layout->addWidget(m_rankView);
}

void DistributionView::connectControls()
{
    auto *group = new QButtonGroup(this);
    group->addButton(m_modelButton);
    group->addButton(m_samplerButton);
    connect(m_samplerButton, &QToolButton::toggled, this, [this](bool on) {
        m_model->setState(on ? CandidateModel::State::Sampler : CandidateModel::State::Model);
        refreshNote();
    });
    connect(m_ranks, &QComboBox::currentIndexChanged, this, [this] {
        m_rankCount = m_ranks->currentData().toInt();
        refresh();
    });
    connect(m_search, &QLineEdit::textChanged, this, [this](const QString &text) {
        const auto vocabulary = m_modelInfo ? m_modelInfo->vocabulary : nullptr;
        m_wanted = vocabulary ? findTokens(*vocabulary, text, mostFound) : std::vector<TokenId>();
        m_found->clear();
        m_foundTable->setVisible(!m_wanted.empty());
        m_askTimer.start();
    });
    for (CandidateView *table : {m_table, m_foundTable})
        connect(table, &CandidateView::tokenActivated, this, [this](TokenId id) {
            if (m_at)
                emit forkRequested(*m_at, id);
        });
    connect(m_rankView, &RankView::pinRequested, this, &DistributionView::pinRequested);
    connect(m_ownText, &QLineEdit::returnPressed, this, [this] {
        const QString text = m_ownText->text();
        if (!m_at || text.isEmpty())
            return;
        m_ownText->clear();
        emit forkTextRequested(*m_at, text);
    });
}

void DistributionView::setSource(AnalysisSource *source)
{
    m_source = source;
    if (source != nullptr)
        connect(source, &AnalysisSource::answered, this, &DistributionView::onAnswered);
}

void DistributionView::setState(CandidateModel::State state)
{
    (state == CandidateModel::State::Sampler ? m_samplerButton : m_modelButton)->setChecked(true);
}

void DistributionView::setRankCount(int count)
{
    m_ranks->setCurrentIndex(m_ranks->findData(count));
}

void DistributionView::search(const QString &text)
{
    m_search->setText(text);
}

void DistributionView::inspect(const Inspected &shown)
{
    const TokenPosition at{shown.message.id, shown.token};
    const bool running = shown.message.isRunning();
    if (m_at != at || running != m_running) {
        m_analysis.reset();
        m_question = 0;
        m_askTimer.start();
    }
    m_at = at;
    m_running = running;
    m_record = shown.record();
    m_modelInfo = shown.model;
    refresh();
}

void DistributionView::clear()
{
    m_at.reset();
    m_analysis.reset();
    m_question = 0;
    m_askTimer.stop();
    m_model->clear();
    m_found->clear();
    m_rankView->clear();
}

void DistributionView::ask()
{
    if (!m_at || m_source == nullptr)
        return;
    if (!m_source->objection(m_at->message).isEmpty()) {
        refreshNote();
        return;
    }
    m_question = m_source->ask(m_at->message,
                               {.first = m_at->token, .candidates = maxAnalysedRanks, .tokens = m_wanted});
}

void DistributionView::onAnswered(std::int64_t question, const std::shared_ptr<const Analysis> &analysis)
{
    if (question != m_question)
        return;
    m_question = 0;
    m_analysis = analysis;
    if (analysis->positions.empty() && analysis->error.empty())
        m_askTimer.start(); // an answer came first
    refresh();
}

const PositionAnalysis *DistributionView::measured() const
{
    return m_analysis && !m_analysis->positions.empty() ? &m_analysis->positions.front() : nullptr;
}

void DistributionView::refresh()
{
    if (!m_at)
        return;
    const auto vocabulary = m_modelInfo ? m_modelInfo->vocabulary : nullptr;
    const PositionAnalysis *anew = measured();
    // What was recorded while the token was chosen comes first; what is more was measured afterwards.
    const bool recorded = anew == nullptr || m_record.top.size() >= static_cast<std::size_t>(m_rankCount);
    TokenRecord record = cutAt(recorded ? m_record : anew->record, m_rankCount);
    if (!recorded)
        record.logProb = m_record.logProb;
    m_model->setToken(record, vocabulary);
    if (anew != nullptr && anew->sampler) {
        CandidateModel::Sampled sampled;
        for (std::size_t i = 0; i < anew->record.top.size(); ++i)
            sampled.emplace(anew->record.top[i].id, anew->sampler->candidates[i]);
        m_model->setSampled(std::move(sampled));
    }
    m_rankView->setDistribution(*m_at, anew != nullptr ? anew->record.top : m_record.top, m_record.id);
    if (anew != nullptr)
        emit entropyMeasured(static_cast<double>(anew->entropy));
    refreshFound();
    refreshNote();
}

void DistributionView::refreshFound()
{
    const PositionAnalysis *anew = measured();
    if (m_wanted.empty() && m_found->rowCount() == 0)
        return;
    m_found->setTokens(anew != nullptr ? anew->asked : std::vector<RankedToken>(),
                       m_modelInfo ? m_modelInfo->vocabulary : nullptr);
}

QString DistributionView::samplerNote(const SamplerOutcome &outcome) const
{
    const QLocale english(QLocale::English);
    QStringList stages;
    for (std::size_t stage = 0; stage < samplerStages; ++stage) {
        if (outcome.removed[stage] > 0)
            stages << tr("%1 removed %2")
                          .arg(stageName(static_cast<SamplerStage>(stage)),
                               english.toString(outcome.removed[stage]));
    }
    const QString left = tr("After the sampler %1 can be drawn").arg(english.toString(outcome.kept));
    const QString how = outcome.parameters.temperature > 0
        ? tr("temperature %1")
              .arg(QString::number(static_cast<double>(outcome.parameters.temperature), 'g', 3))
        : QString();
    QStringList parts{left};
    if (!how.isEmpty())
        parts << how;
    parts << (stages.isEmpty() ? tr("no stage removed any") : stages.join(QStringLiteral(", ")));
    return parts.join(QStringLiteral(" · "))
        + tr(" · derived from the logits and the settings of the answer");
}

void DistributionView::refreshNote()
{
    const PositionAnalysis *anew = measured();
    const QString objection = m_source != nullptr && m_at ? m_source->objection(m_at->message) : QString();
    const bool sampler = m_samplerButton->isChecked();
    if (sampler && anew != nullptr && anew->sampler)
        m_note->setText(samplerNote(*anew->sampler));
    else if ((sampler || m_record.top.size() < static_cast<std::size_t>(m_rankCount)) && !objection.isEmpty())
        m_note->setText(tr("Only what was recorded: %1").arg(objection));
    else if (m_analysis && !m_analysis->error.empty())
        m_note->setText(QString::fromStdString(m_analysis->error));
    else if (anew != nullptr && m_record.top.size() < static_cast<std::size_t>(m_rankCount))
        m_note->setText(tr("Measured anew, from the cache."));
    else
        m_note->setText(tr("Measured while it was written. Enter on a row answers anew from there."));
}

QString DistributionView::note() const
{
    return m_note->text();
}

} // namespace bathyscope::ui
