// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/fork_comparison.h"

#include "ui/inspector/number_format.h"
#include "ui/inspector/token_display.h"
#include "ui/model/fork_tree.h"
#include "ui/theme/theme.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

std::optional<double> sharedExperts(const TokenRecord &a, const TokenRecord &b, int perToken)
{
    if (perToken <= 0 || a.experts.empty() || a.experts.size() != b.experts.size())
        return std::nullopt;
    const auto step = static_cast<std::size_t>(perToken);
    std::size_t shared = 0;
    for (std::size_t i = 0; i < a.experts.size(); ++i) {
        const std::size_t layer = i / step * step;
        for (std::size_t j = layer; j < std::min(layer + step, b.experts.size()); ++j)
            shared += a.experts[i].expert == b.experts[j].expert ? 1U : 0U;
    }
    return static_cast<double>(shared) / static_cast<double>(a.experts.size());
}

ForkComparison::ForkComparison(QObject *parent)
    : ColumnModel({{tr("#"), tr("Place of the token; of both where they differ")},
                   {tr("Version"), {}, Qt::AlignLeft},
                   {tr("Prob."), tr("What the model gave the token, measured")},
                   {tr("Version"), {}, Qt::AlignLeft},
                   {tr("Prob."), tr("What the model gave the token, measured")},
                   {tr("Experts"), tr("Share of the experts that both tokens were routed to, derived")}},
                  parent)
{
}

void ForkComparison::setPair(const VersionPair &pair, int expertsPerToken)
{
    beginResetModel();
    m_pair = pair;
    m_expertsPerToken = expertsPerToken;
    m_fork = 0;
    m_rows.clear();
    if (pair) {
        m_fork = ui::forkToken(pair.shownReply(), pair.otherReply());
        m_rows = alignTokens(pair.shownReply().tokens, pair.otherReply().tokens, m_fork);
    }
    endResetModel();
    setColumn(LeftColumn, {tr("Version %1").arg(pair.shown + 1), {}, Qt::AlignLeft});
    setColumn(RightColumn, {tr("Version %1").arg(pair.other + 1), {}, Qt::AlignLeft});
}

bool ForkComparison::differs(const AlignedTokens &row) const
{
    return row.left < 0 || row.right < 0 || left(row)->id != right(row)->id;
}

int ForkComparison::rowOf(int token) const
{
    const auto found = std::find_if(m_rows.begin(), m_rows.end(),
                                    [token](const AlignedTokens &row) { return row.left == token; });
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

std::optional<double> ForkComparison::sharedExperts() const
{
    double sum = 0;
    int rows = 0;
    for (const AlignedTokens &row : m_rows) {
        if (const auto shared = sharedExpertsOf(row)) {
            sum += *shared;
            ++rows;
        }
    }
    return rows > 0 ? std::optional(sum / rows) : std::nullopt;
}

int ForkComparison::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

const TokenRecord *ForkComparison::left(const AlignedTokens &row) const
{
    return row.left < 0 ? nullptr : &m_pair.shownReply().tokens[static_cast<std::size_t>(row.left)];
}

const TokenRecord *ForkComparison::right(const AlignedTokens &row) const
{
    return row.right < 0 ? nullptr : &m_pair.otherReply().tokens[static_cast<std::size_t>(row.right)];
}

std::optional<double> ForkComparison::sharedExpertsOf(const AlignedTokens &row) const
{
    const TokenRecord *a = left(row);
    const TokenRecord *b = right(row);
    return a != nullptr && b != nullptr ? ui::sharedExperts(*a, *b, m_expertsPerToken) : std::nullopt;
}

QString ForkComparison::display(const AlignedTokens &row, int column) const
{
    if (column == PlaceColumn) {
        if (row.left == row.right || row.right < 0)
            return QString::number(row.left + 1);
        return row.left < 0 ? QStringLiteral("– · %1").arg(row.right + 1)
                            : QStringLiteral("%1 · %2").arg(row.left + 1).arg(row.right + 1);
    }
    if (column == ExpertsColumn) {
        const auto shared = sharedExpertsOf(row);
        return shared ? QStringLiteral("%1 %").arg(std::lround(100 * *shared)) : QStringLiteral("–");
    }
    const TokenRecord *record =
        column == LeftColumn || column == LeftProbabilityColumn ? left(row) : right(row);
    if (record == nullptr)
        return {};
    if (column == LeftColumn || column == RightColumn)
        return visibleToken(record->bytes);
    return percentText(std::exp(static_cast<double>(record->logProb)));
}

QVariant ForkComparison::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const AlignedTokens &row = m_rows[static_cast<std::size_t>(index.row())];
    const bool isToken = index.column() == LeftColumn || index.column() == RightColumn;
    switch (role) {
    case Qt::DisplayRole:
        return display(row, index.column());
    case Qt::TextAlignmentRole:
        return alignmentOf(index.column());
    case Qt::FontRole:
        return isToken ? QVariant(theme::monoFont()) : QVariant();
    case Qt::ForegroundRole: // what both have steps back
        return differs(row) && isToken                       ? QVariant(theme::colors().accent)
            : index.column() == PlaceColumn || !differs(row) ? QVariant(theme::colors().secondary)
                                                             : QVariant();
    default:
        return {};
    }
}

} // namespace bathyscope::ui
