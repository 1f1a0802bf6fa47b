// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/answer_page.h"

#include "ui/inspector/answer_strip.h"
#include "ui/inspector/fork_view.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/score_panel.h"
#include "ui/theme/theme.h"

#include <QGridLayout>
#include <QLabel>
#include <QLocale>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

namespace {

QLabel *figureLabel(QWidget *parent, const QString &text, const char *role = nullptr)
{
    auto *label = new QLabel(text, parent);
    QFont font = theme::numberFont();
    font.setPixelSize(13);
    label->setFont(font);
    label->setTextFormat(Qt::PlainText);
    if (role != nullptr)
        label->setProperty("role", QLatin1String(role));
    return label;
}

} // namespace

AnswerPage::AnswerPage(Selection *selection, QWidget *parent)
    : InspectorPage(parent)
    , m_selection(selection)
    , m_strip(new AnswerStrip(selection, this))
    , m_readout(new QLabel(this))
    , m_forks(new ForkView(this))
    , m_score(new ScorePanel(this))
{
    auto *heading = new QLabel(tr("Surprisal (bars) and entropy (line), bits"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    heading->setToolTip(tr("Derived from recorded log-probabilities; the entropy is the lower bound that the "
                           "recorded candidates give"));
    m_readout->setFont(theme::smallFont());
    m_readout->setProperty("role", QStringLiteral("secondary"));
    auto *grid = new QGridLayout;
    grid->setHorizontalSpacing(16);
    grid->setVerticalSpacing(4);
    grid->setColumnStretch(0, 1);
    const QString titles[] = {QString(), tr("Tokens"), tr("Bits each"), tr("Perplexity")};
    for (int column = 1; column < 4; ++column)
        grid->addWidget(figureLabel(this, titles[column], "secondary"), 0, column, Qt::AlignRight);
    m_rows[0] = addRow(grid, tr("Selection"));
    m_rows[1] = addRow(grid, tr("Reasoning"));
    m_rows[2] = addRow(grid, tr("Answer"));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(heading);
    layout->addWidget(m_strip);
    layout->addWidget(m_readout);
    layout->addSpacing(4);
    layout->addLayout(grid);
    layout->addSpacing(12);
    layout->addWidget(m_forks);
    layout->addWidget(m_score);
    layout->addStretch(1);
    connect(m_strip, &AnswerStrip::readoutChanged, this, [this] { m_readout->setText(m_strip->readout()); });
}

AnswerPage::Row AnswerPage::addRow(QGridLayout *grid, const QString &name)
{
    const int line = grid->rowCount();
    Row row{figureLabel(this, {}), figureLabel(this, {}), figureLabel(this, {})};
    grid->addWidget(figureLabel(this, name), line, 0);
    grid->addWidget(row.tokens, line, 1, Qt::AlignRight);
    grid->addWidget(row.bits, line, 2, Qt::AlignRight);
    grid->addWidget(row.perplexity, line, 3, Qt::AlignRight);
    row.perplexity->setAccessibleName(tr("Perplexity of %1").arg(name));
    row.perplexity->setToolTip(tr("Derived: 2 to the power of the mean surprisal"));
    return row;
}

void AnswerPage::showScore(const Row &row, const TextScore &score)
{
    const bool any = score.tokens > 0;
    row.tokens->setText(QLocale(QLocale::English).toString(score.tokens));
    row.bits->setText(any ? fixedText(score.bitsPerToken(), 3) : QStringLiteral("–"));
    row.perplexity->setText(any ? fixedText(score.perplexity(), 3) : QStringLiteral("–"));
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
    m_expertsPerToken = shown.model ? shown.model->expertsPerToken : 0;
    m_forks->setVersions(m_versions, m_message, m_expertsPerToken);
    showScore(m_rows[0], selected);
    showScore(m_rows[1], m_reasoning);
    showScore(m_rows[2], m_answer);
}

void AnswerPage::clear()
{
    m_strip->clear();
    m_message = 0;
    m_counted = 0;
}

void AnswerPage::setVersions(const ReplyVersions &versions)
{
    m_versions = versions;
    m_forks->setVersions(m_versions, m_message, m_expertsPerToken);
}

void AnswerPage::setSource(AnalysisSource *source)
{
    m_score->setSource(source);
}

QString AnswerPage::perplexity(Part part) const
{
    return m_rows[static_cast<int>(part)].perplexity->text();
}

} // namespace bathyscope::ui
