// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/layer_model.h"

#include "ui/inspector/number_format.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

void LayerModel::setLoads(const std::vector<int> &layers, const RoutingAggregate &aggregate)
{
    std::vector<Row> rows;
    if (static_cast<int>(layers.size()) == aggregate.layers())
        for (int row = 0; row < aggregate.layers(); ++row)
            rows.push_back({layers[static_cast<std::size_t>(row)], layerLoad(aggregate, row)});
    m_experts = aggregate.experts();
    if (rows.size() != m_rows.size()) {
        beginResetModel();
        m_rows = std::move(rows);
        endResetModel();
        return;
    }
    m_rows = std::move(rows);
    if (!m_rows.empty())
        emit dataChanged(index(0, 0), index(rowCount() - 1, ColumnCount - 1));
}

int LayerModel::rowOf(int layer) const
{
    const auto found =
        std::find_if(m_rows.begin(), m_rows.end(), [layer](const Row &row) { return row.layer == layer; });
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

int LayerModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int LayerModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString LayerModel::display(const Row &row, int column) const
{
    switch (column) {
    case LayerColumn:
        return QStringLiteral("L%1").arg(row.layer);
    case BusiestColumn:
        return tr("expert %1 · %2").arg(row.load.busiest).arg(percentText(row.load.largestShare));
    case RatioColumn:
        return fixedText(row.load.maxOverMean, 2) + QStringLiteral(" ×");
    case EntropyColumn:
        return tr("%1 of %2 bit")
            .arg(fixedText(row.load.entropy, 2), fixedText(std::log2(std::max(1, m_experts)), 2));
    case DeadColumn:
        return percentText(row.load.deadShare);
    default:
        return {};
    }
}

QVariant LayerModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid))
        return {};
    if (role == Qt::DisplayRole)
        return display(m_rows[static_cast<std::size_t>(index.row())], index.column());
    if (role == Qt::TextAlignmentRole)
        return QVariant((index.column() == LayerColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    return {};
}

QVariant LayerModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant((section == LayerColumn ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    const QString titles[] = {tr("Layer"), tr("Busiest"), tr("Max / mean"), tr("Entropy"), tr("Dead")};
    const QString explanations[] = {tr("Layer of the model"),
                                    tr("The expert that was chosen most, and its share of the choices"),
                                    tr("Load of the busiest expert over the mean load; 1 is even"),
                                    tr("Of the shares of all experts; the second number is an even layer's"),
                                    tr("Experts that no token of the reply chose")};
    if (role == Qt::DisplayRole)
        return titles[section];
    if (role == Qt::ToolTipRole)
        return explanations[section];
    return {};
}

} // namespace bathyscope::ui
