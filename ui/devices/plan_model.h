// SPDX-License-Identifier: GPL-3.0-or-later
//
// A memory plan as rows of a table, one for each device that takes part.
#pragma once

#include "engine/records.h"

#include <QAbstractTableModel>

namespace bathyscope::ui {

class PlanModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        DeviceColumn,
        LayersColumn,
        WeightsColumn,
        CacheColumn,
        WorkspaceColumn,
        LeftColumn, ///< what stays free, or is missing
        BarColumn, ///< drawn
        ColumnCount
    };
    enum Role { MissingRole = Qt::UserRole + 1 /**< bool: the device has too little memory */ };

    using QAbstractTableModel::QAbstractTableModel;

    void setPlan(const MemoryPlan &plan);
    [[nodiscard]] const DeviceShare &share(int row) const { return m_shares[static_cast<std::size_t>(row)]; }

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] static QString display(const DeviceShare &share, int column);

    std::vector<DeviceShare> m_shares;
};

} // namespace bathyscope::ui
