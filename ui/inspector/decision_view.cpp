// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/decision_view.h"

#include "ui/inspector/decision_chart.h"
#include "ui/inspector/plain_table.h"

#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

DecisionView::DecisionView(Selection *selection, QWidget *parent)
    : QWidget(parent)
    , m_selection(selection)
    , m_model(new DecisionModel(this))
    , m_chart(new DecisionChart(this))
    , m_table(new PlainTable(m_model, tr("Scores of all experts, the largest sum first"), 9, this))
    , m_line(new QLabel(this))
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    layout->addWidget(m_line);
    layout->addWidget(m_chart);
    layout->addWidget(m_table);
    layout->addStretch(1);
    m_line->setWordWrap(true);
    m_line->setProperty("role", QStringLiteral("secondary"));
    const auto select = [this](int expert) { m_selection->setCell({m_layer, expert}); };
    connect(m_chart, &DecisionChart::expertPicked, this, select);
    connect(m_table, &PlainTable::rowPicked, this,
            [this, select](int row) { select(m_model->expertOf(row)); });
    clear();
}

void DecisionView::setSource(AnalysisSource *source)
{
    m_source = source;
    if (source != nullptr)
        connect(source, &AnalysisSource::answered, this,
                [this](std::int64_t question, const std::shared_ptr<const Analysis> &analysis) {
                    onAnswered(question, *analysis);
                });
}

void DecisionView::show(const TokenPosition &at, int layer)
{
    m_layer = layer;
    const bool other = m_at != at;
    m_at = at;
    if (other && m_known != at)
        ask();
    update();
}

void DecisionView::ask()
{
    if (m_source == nullptr) {
        m_known = m_at;
        m_decisions.clear();
        m_error = tr("Nothing can be measured here: the view has no engine to ask.");
        return;
    }
    AnalysisOptions options;
    options.first = m_at->token;
    options.candidates = 0;
    options.decisions = true;
    m_question = m_source->ask(m_at->message, options);
    if (!m_known)
        showLine(tr("Measuring…"));
}

/// An answer that comes late, to another question, is left alone.
void DecisionView::onAnswered(std::int64_t question, const Analysis &analysis)
{
    if (question != m_question || !m_at)
        return;
    m_known = m_at;
    m_error = QString::fromStdString(analysis.error);
    m_decisions.clear();
    if (!analysis.positions.empty())
        m_decisions = analysis.positions.front().decisions;
    if (m_decisions.empty() && m_error.isEmpty())
        m_error = tr("This device does not hand out what its routers saw. On the CPU it can be seen.");
    update();
}

void DecisionView::update()
{
    if (m_known != m_at)
        return; // the old one stays until the new one is there, a few milliseconds later
    const auto found = std::find_if(m_decisions.begin(), m_decisions.end(),
                                    [this](const RouterDecision &d) { return d.layer == m_layer; });
    if (found == m_decisions.end()) {
        showLine(m_error.isEmpty() ? tr("Layer %1 does not route.").arg(m_layer) : m_error);
        return;
    }
    m_model->setDecision(*found);
    m_chart->setDecision(*found);
    const RoutingCell &cell = m_selection->cell();
    m_chart->setSelectedExpert(cell.layer == m_layer ? cell.expert.value_or(-1) : -1);
    m_line->setText(lineOf(*found));
    m_chart->setVisible(true);
    m_table->setVisible(true);
}

QString DecisionView::lineOf(const RouterDecision &decision) const
{
    QStringList chosen;
    for (const ExpertChoice &choice : decision.chosen)
        chosen << QString::number(choice.expert);
    const QString groups = decision.groups > 1
        ? tr(" of the %1 best of %2 groups").arg(decision.keptGroups.size()).arg(decision.groups)
        : QString();
    const QString sum =
        decision.bias.empty() ? tr("the largest scores") : tr("the largest sums of score and bias");
    return tr("Layer %1 chose %2: %3%4. Scores (%5) are measured anew, from the same tokens.")
        .arg(decision.layer)
        .arg(chosen.join(QStringLiteral(", ")), sum, groups, QString::fromStdString(decision.scoring));
}

void DecisionView::showLine(const QString &text)
{
    m_model->clear();
    m_chart->setVisible(false);
    m_table->setVisible(false);
    m_line->setText(text);
}

void DecisionView::showReason(const QString &reason)
{
    m_at.reset();
    showLine(reason);
}

void DecisionView::clear()
{
    m_known.reset();
    m_decisions.clear();
    showReason(tr("Select a token to see why its experts were chosen."));
}

QString DecisionView::sentence() const
{
    return m_line->text();
}

} // namespace bathyscope::ui
