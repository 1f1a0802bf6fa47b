// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tokens of a scored text as rows of a table.
#pragma once

#include "engine/records.h"

#include <QAbstractTableModel>

#include <memory>

namespace bathyscope::ui {

class ScoreModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { TokenColumn, RankColumn, ProbabilityColumn, LogProbColumn, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    void setAnalysis(std::shared_ptr<const Analysis> analysis); ///< null: none

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    std::shared_ptr<const Analysis> m_analysis;
};

} // namespace bathyscope::ui
