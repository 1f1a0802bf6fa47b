// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tokens of a scored text as rows of a table.
#pragma once

#include "ui/inspector/column_model.h"

#include "engine/records.h"

#include <memory>

namespace bathyscope::ui {

class ScoreModel : public ColumnModel {
    Q_OBJECT

public:
    enum Column { TokenColumn, RankColumn, ProbabilityColumn, LogProbColumn, ColumnCount };

    explicit ScoreModel(QObject *parent = nullptr);

    void setAnalysis(std::shared_ptr<const Analysis> analysis); ///< null: none

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;

private:
    std::shared_ptr<const Analysis> m_analysis;
};

} // namespace bathyscope::ui
