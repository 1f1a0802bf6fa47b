// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/answer_page.h"

#include "ui/inspector/answer_strip.h"
#include "ui/inspector/entropy_reader.h"
#include "ui/inspector/fork_view.h"
#include "ui/inspector/score_grid.h"
#include "ui/inspector/score_panel.h"
#include "ui/theme/theme.h"

#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

AnswerPage::AnswerPage(Selection *selection, Versions *versions, QWidget *parent)
    : InspectorPage(parent)
    , m_selection(selection)
    , m_strip(new AnswerStrip(selection, this))
    , m_readout(new QLabel(this))
    , m_parts(new ScoreGrid({tr("Selection"), tr("Reasoning"), tr("Answer")}, this))
    , m_forks(new ForkView(selection, versions, this))
    , m_score(new ScorePanel(this))
    , m_entropies(new EntropyReader(this))
{
    auto *heading = new QLabel(tr("Surprisal (bars) and entropy (line), bits"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    heading->setToolTip(
        tr("The surprisal is measured while the answer is written; so is a lower bound of the "
           "entropy, from the recorded candidates. The entropy itself is measured anew once "
           "the answer has ended."));
    QFont figures = theme::numberFont();
    figures.setPixelSize(12);
    m_readout->setFont(figures);
    m_readout->setProperty("role", QStringLiteral("secondary"));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(heading);
    layout->addWidget(m_strip);
    layout->addWidget(m_readout);
    layout->addSpacing(4);
    layout->addWidget(m_parts);
    layout->addSpacing(12);
    layout->addWidget(m_forks);
    layout->addSpacing(12);
    layout->addWidget(m_score);
    layout->addStretch(1);
    connect(m_strip, &AnswerStrip::readoutChanged, this, [this] { m_readout->setText(m_strip->readout()); });
    connect(m_entropies, &EntropyReader::grown, this, [this] { m_strip->setEntropies(m_entropies->bits()); });
}

void AnswerPage::inspect(const Inspected &shown)
{
    const std::vector<TokenRecord> &tokens = shown.message.tokens;
    const std::size_t vocabulary =
        shown.model && shown.model->vocabulary ? shown.model->vocabulary->size() : 0;
    m_strip->setMessage(shown.message, vocabulary);
    if (m_message != shown.message.id || m_counted > tokens.size()) {
        m_message = shown.message.id;
        m_counted = 0;
        m_reasoning = {};
        m_answer = {};
    }
    for (; m_counted < tokens.size(); ++m_counted) {
        const TokenRecord &record = tokens[m_counted];
        if (record.section != Section::Marker)
            (record.section == Section::Reasoning ? m_reasoning : m_answer).add(record);
    }
    TextScore selected;
    const auto range = m_selection->range();
    if (range && range->message == shown.message.id) {
        const int end = std::min(range->last + 1, static_cast<int>(tokens.size()));
        for (int token = std::max(range->first, 0); token < end; ++token)
            selected.add(tokens[static_cast<std::size_t>(token)]);
    }
    m_entropies->follow(shown.message);
    m_strip->setEntropies(m_entropies->bits());
    m_forks->setReply(m_message, shown.model ? shown.model->expertsPerToken : 0);
    m_parts->setScore(static_cast<int>(Part::Selection), selected);
    m_parts->setScore(static_cast<int>(Part::Reasoning), m_reasoning);
    m_parts->setScore(static_cast<int>(Part::Answer), m_answer);
}

void AnswerPage::clear()
{
    m_strip->clear();
    m_entropies->clear();
    m_message = 0;
    m_counted = 0;
}

void AnswerPage::setSource(AnalysisSource *source)
{
    m_score->setSource(source);
    m_entropies->setSource(source);
}

QString AnswerPage::perplexity(Part part) const
{
    return m_parts->perplexity(static_cast<int>(part));
}

} // namespace bathyscope::ui
