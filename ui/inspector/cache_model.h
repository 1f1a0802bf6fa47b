// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the cache costs, beside other kinds of attention with the same heads: one row a kind.
#pragma once

#include "ui/inspector/cache_costs.h"
#include "ui/inspector/column_model.h"

#include <vector>

namespace bathyscope::ui {

class CacheModel : public ColumnModel {
    Q_OBJECT

public:
    enum Column { KindColumn, ValuesColumn, TokenColumn, HeldColumn, ContextColumn, FitsColumn, ColumnCount };

    struct Row {
        QString kind;
        std::int64_t values = 0; ///< of a token and layer
        double bytes = 0; ///< of a token, all layers
        bool held = false; ///< it is what the cache really holds; the others are for comparison
    };

    explicit CacheModel(QObject *parent = nullptr);

    void setModel(const ModelInfo &model);
    void setTokens(int tokens); ///< that the cache holds
    [[nodiscard]] const std::vector<Row> &rows() const { return m_rows; }

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;

private:
    [[nodiscard]] QString display(const Row &row, int column) const;

    std::vector<Row> m_rows;
    ModelInfo m_model;
    int m_tokens = 0;
};

} // namespace bathyscope::ui
