// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/fork_comparison.h"

#include "ui/inspector/number_format.h"
#include "ui/inspector/token_display.h"

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

void ForkComparison::setVersions(ReplyVersions versions, int left, int right, int expertsPerToken)
{
    beginResetModel();
    m_versions = std::move(versions);
    m_left = left;
    m_right = right;
    m_expertsPerToken = expertsPerToken;
    m_fork = 0;
    m_end = 0;
    const int count = m_versions ? static_cast<int>(m_versions->size()) : 0;
    if (left >= 0 && left < count && right >= 0 && right < count) {
        const auto &a = (*m_versions)[static_cast<std::size_t>(left)].tokens;
        const auto &b = (*m_versions)[static_cast<std::size_t>(right)].tokens;
        const auto same = [](const TokenRecord &x, const TokenRecord &y) { return x.id == y.id; };
        m_fork =
            static_cast<int>(std::mismatch(a.begin(), a.end(), b.begin(), b.end(), same).first - a.begin());
        m_end = static_cast<int>(std::max(a.size(), b.size()));
    }
    endResetModel();
}

int ForkComparison::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : m_end - m_fork;
}

int ForkComparison::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

const TokenRecord *ForkComparison::token(int version, int place) const
{
    const auto &tokens = (*m_versions)[static_cast<std::size_t>(version)].tokens;
    return place < static_cast<int>(tokens.size()) ? &tokens[static_cast<std::size_t>(place)] : nullptr;
}

QString ForkComparison::display(int place, int column) const
{
    if (column == PlaceColumn)
        return QString::number(place + 1);
    const TokenRecord *left = token(m_left, place);
    const TokenRecord *right = token(m_right, place);
    if (column == ExpertsColumn) {
        const auto shared = left != nullptr && right != nullptr
            ? sharedExperts(*left, *right, m_expertsPerToken)
            : std::nullopt;
        return shared ? QStringLiteral("%1 %").arg(std::lround(100 * *shared)) : QStringLiteral("–");
    }
    const TokenRecord *record = column == LeftColumn || column == LeftProbabilityColumn ? left : right;
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
    if (role == Qt::TextAlignmentRole) {
        const bool text = index.column() == LeftColumn || index.column() == RightColumn;
        return QVariant::fromValue(Qt::Alignment(text ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    return role == Qt::DisplayRole ? QVariant(display(m_fork + index.row(), index.column())) : QVariant();
}

QVariant ForkComparison::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole || section < 0 || section >= ColumnCount)
        return {};
    const QString names[] = {tr("#"),     tr("Version %1").arg(m_left + 1),
                             tr("Prob."), tr("Version %1").arg(m_right + 1),
                             tr("Prob."), tr("Experts")};
    return names[section];
}

} // namespace bathyscope::ui
