// SPDX-License-Identifier: GPL-3.0-or-later
//
// How evenly each MoE layer shares the work, as rows of a table. Derived from the measured choices.
#pragma once

#include "ui/inspector/column_model.h"
#include "ui/inspector/layer_load.h"

#include <vector>

namespace bathyscope::ui {

class LayerModel : public ColumnModel {
    Q_OBJECT

public:
    enum Column { LayerColumn, BusiestColumn, RatioColumn, EntropyColumn, DeadColumn, ColumnCount };

    explicit LayerModel(QObject *parent = nullptr);

    /// `layers` are the model's indices of the aggregate's layers.
    void setLoads(const std::vector<int> &layers, const RoutingAggregate &aggregate);
    void clear() { setLoads({}, {}); }

    [[nodiscard]] int layerOf(int row) const { return m_rows[static_cast<std::size_t>(row)].layer; }
    [[nodiscard]] int busiestOf(int row) const { return m_rows[static_cast<std::size_t>(row)].load.busiest; }
    [[nodiscard]] int rowOf(int layer) const; ///< -1: none

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;

private:
    struct Row {
        int layer = 0;
        LayerLoad load = {};
    };

    [[nodiscard]] QString display(const Row &row, int column) const;

    std::vector<Row> m_rows;
    int m_experts = 0;
};

} // namespace bathyscope::ui
