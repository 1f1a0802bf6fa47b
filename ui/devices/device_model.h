// SPDX-License-Identifier: GPL-3.0-or-later
//
// What a model can be sent to: automatic, the CPU, one GPU, all GPUs together.
#pragma once

#include "engine/records.h"

#include <QAbstractTableModel>

#include <vector>

namespace bathyscope::ui {

class DeviceModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { NameColumn, FreeColumn, TotalColumn, ColumnCount };
    enum Role { IdRole = Qt::UserRole + 1 /**< QString: LocalBackendOptions::device */ };

    using QAbstractTableModel::QAbstractTableModel;

    void setDevices(const DeviceList &list);
    /// -1 for a device that is not there.
    [[nodiscard]] int rowOf(const QString &id) const;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    struct Row {
        QString id;
        QString name;
        QString toolTip;
        DeviceMemory memory{};
    };

    std::vector<Row> m_rows;
};

} // namespace bathyscope::ui
