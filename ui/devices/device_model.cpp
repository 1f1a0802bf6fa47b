// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/devices/device_model.h"

#include "ui/window/format.h"

#include <algorithm>

namespace bathyscope::ui {

void DeviceModel::setDevices(const DeviceList &list)
{
    beginResetModel();
    m_rows = {{QStringLiteral("auto"), tr("Automatic"), tr("GPUs where they can, else the CPU")}};
    DeviceMemory gpus;
    for (const DeviceInfo &device : list.devices) {
        const QString id = QString::fromStdString(device.id);
        const QString name = QString::fromStdString(device.name);
        const bool isGpu = device.id != "cpu"; // there may be several of one name
        m_rows.push_back({id, isGpu ? tr("%1 · %2").arg(name, id) : name, id, device.memory});
        if (isGpu) {
            gpus.total += device.memory.total;
            gpus.available += device.memory.available;
        }
    }
    if (list.devices.size() > 2)
        m_rows.push_back({QStringLiteral("cuda"), tr("GPUs together"),
                          tr("Layers are split over as many GPUs as it takes"), gpus});
    endResetModel();
}

int DeviceModel::rowOf(const QString &id) const
{
    const auto found = std::ranges::find(m_rows, id, &Row::id);
    return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

int DeviceModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

int DeviceModel::columnCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : ColumnCount;
}

QVariant DeviceModel::data(const QModelIndex &index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const Row &row = m_rows[static_cast<std::size_t>(index.row())];
    const auto size = [](std::int64_t bytes) { return bytes > 0 ? formatBytes(bytes) : QString(); };
    switch (role) {
    case Qt::DisplayRole:
        return index.column() == NameColumn ? row.name
            : index.column() == FreeColumn  ? size(row.memory.available)
                                            : size(row.memory.total);
    case Qt::ToolTipRole:
        return row.toolTip;
    case Qt::TextAlignmentRole:
        return static_cast<int>(Qt::AlignVCenter
                                | (index.column() == NameColumn ? Qt::AlignLeft : Qt::AlignRight));
    case IdRole:
        return row.id;
    default:
        return {};
    }
}

QVariant DeviceModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (role == Qt::TextAlignmentRole)
        return static_cast<int>(Qt::AlignVCenter | (section == NameColumn ? Qt::AlignLeft : Qt::AlignRight));
    if (role != Qt::DisplayRole)
        return {};
    return section == NameColumn ? tr("Device") : section == FreeColumn ? tr("Free") : tr("Memory");
}

} // namespace bathyscope::ui
