// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/decision_model.h"

#include "ui/inspector/number_format.h"
#include "ui/theme/theme.h"

#include <algorithm>

namespace bathyscope::ui {

int groupOf(const RouterDecision &decision, int expert)
{
    const int size = static_cast<int>(decision.scores.size()) / std::max(1, decision.groups);
    return size > 0 ? expert / size : 0;
}

bool isKept(const RouterDecision &decision, int group)
{
    return std::binary_search(decision.keptGroups.begin(), decision.keptGroups.end(), group);
}

DecisionModel::DecisionModel(QObject *parent)
    : ColumnModel(
        {{tr("Expert")},
         {tr("Group"), tr("Only experts of the groups that were kept could be chosen")},
         {tr("Score")},
         {tr("Bias"), tr("Learnt correction that evens out the load; it counts for the choice only")},
         {tr("Sum"), tr("Score and bias: the largest were chosen")},
         {tr("Weight"), tr("What the expert's output was multiplied with")}},
        parent)
{
}

void DecisionModel::setDecision(const RouterDecision &decision)
{
    setColumn(ScoreColumn,
              {tr("Score"),
               tr("The %1 of the router's logit; weights are made of scores alone")
                   .arg(QString::fromStdString(decision.scoring))});
    beginResetModel();
    m_rows.clear();
    for (std::size_t i = 0; i < decision.scores.size(); ++i) {
        Row row{.expert = static_cast<int>(i),
                .group = groupOf(decision, static_cast<int>(i)),
                .score = decision.scores[i],
                .bias = i < decision.bias.size() ? decision.bias[i] : 0};
        row.state = isKept(decision, row.group) ? State::Beaten : State::GroupLeftOut;
        m_rows.push_back(row);
    }
    for (const ExpertChoice &choice : decision.chosen) {
        m_rows[choice.expert].state = State::Chosen;
        m_rows[choice.expert].weight = choice.weight;
    }
    std::stable_sort(m_rows.begin(), m_rows.end(), [](const Row &a, const Row &b) {
        return std::pair(a.state == State::Chosen, a.score + a.bias)
            > std::pair(b.state == State::Chosen, b.score + b.bias);
    });
    endResetModel();
}

int DecisionModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QString DecisionModel::display(const Row &row, int column)
{
    const auto number = [](float value) { return fixedText(static_cast<double>(value), 4); };
    switch (column) {
    case ExpertColumn:
        return QString::number(row.expert);
    case GroupColumn:
        return row.state == State::GroupLeftOut ? tr("%1, left out").arg(row.group)
                                                : QString::number(row.group);
    case ScoreColumn:
        return number(row.score);
    case BiasColumn:
        return number(row.bias);
    case SumColumn:
        return number(row.score + row.bias);
    case WeightColumn:
        return row.state == State::Chosen ? number(row.weight) : QStringLiteral("–");
    default:
        return {};
    }
}

QVariant DecisionModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    const Row &row = m_rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return display(row, index.column());
    case Qt::TextAlignmentRole:
        return alignmentOf(index.column());
    case Qt::ToolTipRole:
        return row.state == State::Chosen      ? tr("Chosen")
            : row.state == State::GroupLeftOut ? tr("Its group was left out")
                                               : tr("Others had more");
    case Qt::ForegroundRole:
        if (row.state == State::Chosen)
            return theme::colors().accent;
        return row.state == State::GroupLeftOut ? QVariant(theme::colors().secondary) : QVariant();
    case StateRole:
        return static_cast<int>(row.state);
    default:
        return {};
    }
}

} // namespace bathyscope::ui
