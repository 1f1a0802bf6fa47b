// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/devices/plan_model.h"

#include "ui/window/format.h"

namespace bathyscope::ui {

namespace {

std::int64_t leftOf(const DeviceShare &share)
{
    return share.device.memory.available - share.needed();
}

bool isMissing(const DeviceShare &share)
{
    return share.device.memory.total > 0 && leftOf(share) < 0;
}

int alignmentOf(int column)
{
    return static_cast<int>(Qt::AlignVCenter
                            | (column == PlanModel::DeviceColumn ? Qt::AlignLeft : Qt::AlignRight));
}

} // namespace

void PlanModel::setPlan(const MemoryPlan &plan)
{
    beginResetModel();
    m_shares = plan.shares;
    endResetModel();
}

int PlanModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_shares.size());
}

int PlanModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QString PlanModel::display(const DeviceShare &share, int column)
{
    switch (column) {
    case DeviceColumn:
        return QString::fromStdString(share.device.id == "cpu" ? share.device.name : share.device.id);
    case LayersColumn:
        return share.layers == 1 ? QString::number(share.firstLayer)
                                 : tr("%1–%2").arg(share.firstLayer).arg(share.firstLayer + share.layers - 1);
    case WeightsColumn:
        return formatBytes(share.weights);
    case CacheColumn:
        return formatBytes(share.cache);
    case WorkspaceColumn:
        return share.workspace > 0 ? formatBytes(share.workspace) : QString();
    case LeftColumn:
        if (share.device.memory.total == 0)
            return {};
        return isMissing(share) ? tr("%1 missing").arg(formatBytes(-leftOf(share)))
                                : tr("%1 left").arg(formatBytes(leftOf(share)));
    default:
        return {};
    }
}

QVariant PlanModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const DeviceShare &share = m_shares[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
        return display(share, index.column());
    case Qt::ToolTipRole:
        return tr("%1 of %2 are free")
            .arg(formatBytes(share.device.memory.available), formatBytes(share.device.memory.total));
    case Qt::TextAlignmentRole:
        return alignmentOf(index.column());
    case MissingRole:
        return isMissing(share);
    default:
        return {};
    }
}

QVariant PlanModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::TextAlignmentRole)
        return alignmentOf(section);
    if (role != Qt::DisplayRole)
        return {};
    const QString titles[] = {tr("Device"),    tr("Layers"), tr("Weights"), tr("Cache"),
                              tr("Workspace"), QString(),    QString()};
    return titles[section];
}

} // namespace bathyscope::ui
