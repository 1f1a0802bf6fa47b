// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/score_model.h"

#include "ui/inspector/number_format.h"
#include "ui/inspector/token_display.h"

#include <QLocale>

#include <cmath>

namespace bathyscope::ui {

ScoreModel::ScoreModel(QObject *parent)
    : ColumnModel({{tr("Token"), {}, Qt::AlignLeft}, {tr("Rank")}, {tr("Probability")}, {tr("Log-prob.")}},
                  parent)
{
}

void ScoreModel::setAnalysis(std::shared_ptr<const Analysis> analysis)
{
    beginResetModel();
    m_analysis = std::move(analysis);
    endResetModel();
}

int ScoreModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() || m_analysis == nullptr ? 0 : static_cast<int>(m_analysis->positions.size());
}

QVariant ScoreModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    if (role == Qt::TextAlignmentRole)
        return alignmentOf(index.column());
    if (role != Qt::DisplayRole)
        return {};
    const PositionAnalysis &position = m_analysis->positions[static_cast<std::size_t>(index.row())];
    const double logProb = position.record.logProb;
    switch (index.column()) {
    case TokenColumn:
        return visibleToken(position.record.bytes);
    case RankColumn:
        return QLocale(QLocale::English).toString(position.rank);
    case ProbabilityColumn:
        return percentText(std::exp(logProb));
    case LogProbColumn:
        return fixedText(logProb, 3);
    default:
        return {};
    }
}

} // namespace bathyscope::ui
