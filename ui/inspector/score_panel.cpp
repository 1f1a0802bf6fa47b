// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/score_panel.h"

#include "ui/inspector/answer_statistics.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/plain_table.h"
#include "ui/theme/theme.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace bathyscope::ui {

namespace {

constexpr int textHeight = 72;
constexpr int tableRows = 12;

} // namespace

ScorePanel::ScorePanel(QWidget *parent)
    : QWidget(parent)
    , m_model(new ScoreModel(this))
    , m_text(new QPlainTextEdit(this))
    , m_button(new QPushButton(tr("Score"), this))
    , m_summary(new QLabel(this))
    , m_table(new PlainTable(m_model, tr("Tokens of the scored text"), tableRows, this))
{
    auto *heading = new QLabel(tr("Score any text"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    m_text->setPlaceholderText(
        tr("Paste a text: every token's probability under the model, nothing is written"));
    m_text->setAccessibleName(tr("Text to score"));
    m_text->setTabChangesFocus(true);
    m_text->setFixedHeight(textHeight);
    m_summary->setProperty("role", QStringLiteral("secondary"));
    m_summary->setFont(theme::smallFont());
    m_summary->setWordWrap(true);
    m_table->hide();
    auto *bottom = new QHBoxLayout;
    bottom->addWidget(m_summary, 1);
    bottom->addWidget(m_button);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(heading);
    layout->addWidget(m_text);
    layout->addLayout(bottom);
    layout->addWidget(m_table);
    connect(m_button, &QPushButton::clicked, this, [this] { score(m_text->toPlainText()); });
}

void ScorePanel::setSource(AnalysisSource *source)
{
    m_source = source;
    if (source != nullptr)
        connect(source, &AnalysisSource::answered, this, &ScorePanel::onAnswered);
}

void ScorePanel::score(const QString &text)
{
    if (m_source == nullptr || text.isEmpty())
        return;
    if (m_text->toPlainText() != text)
        m_text->setPlainText(text);
    m_summary->setText(tr("Measuring…"));
    m_question = m_source->score(text, {.candidates = 0});
}

void ScorePanel::onAnswered(std::int64_t question, const std::shared_ptr<const Analysis> &analysis)
{
    if (question != m_question)
        return;
    m_question = 0;
    m_model->setAnalysis(analysis);
    m_table->setVisible(m_model->rowCount() > 0);
    if (!analysis->error.empty()) {
        m_summary->setText(QString::fromStdString(analysis->error));
        return;
    }
    TextScore score;
    for (const PositionAnalysis &position : analysis->positions)
        score.add(position.record);
    m_summary->setText(
        score.tokens == 0
            ? tr("Stopped: an answer came first.")
            : tr("%1 tokens · %2 bit each · perplexity %3 · measured, after the start of a text")
                  .arg(score.tokens)
                  .arg(fixedText(score.bitsPerToken(), 2), fixedText(score.perplexity(), 2)));
}

QString ScorePanel::summary() const
{
    return m_summary->text();
}

} // namespace bathyscope::ui
