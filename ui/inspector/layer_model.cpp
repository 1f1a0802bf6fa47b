// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/layer_model.h"

#include "ui/inspector/number_format.h"

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

LayerModel::LayerModel(QObject *parent)
    : ColumnModel(
        {{tr("Layer"), tr("Layer of the model"), Qt::AlignLeft},
         {tr("Busiest expert"), tr("The expert that was chosen most, and its share of the choices")},
         {tr("Max / mean"), tr("Load of the busiest expert over the mean load; 1 is even")},
         {tr("Entropy, bit"), tr("Of the shares of all experts; the second number is an even layer's")},
         {tr("Dead"), tr("Experts that no token of the reply chose")}},
        parent)
{
}

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

QString LayerModel::display(const Row &row, int column) const
{
    switch (column) {
    case LayerColumn:
        return QStringLiteral("L%1").arg(row.layer);
    case BusiestColumn:
        return tr("%1 · %2").arg(row.load.busiest).arg(percentText(row.load.largestShare));
    case RatioColumn:
        return fixedText(row.load.maxOverMean, 2) + QStringLiteral(" ×");
    case EntropyColumn:
        return tr("%1 of %2")
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
        return alignmentOf(index.column());
    return {};
}

} // namespace bathyscope::ui
