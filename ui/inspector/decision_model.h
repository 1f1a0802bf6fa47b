// SPDX-License-Identifier: GPL-3.0-or-later
//
// Why a token's experts were chosen in a layer: all experts as rows of a table, those that were best for the
// choice first.
#pragma once

#include "ui/inspector/column_model.h"

#include "engine/records.h"

#include <vector>

namespace bathyscope::ui {

class DecisionModel : public ColumnModel {
    Q_OBJECT

public:
    enum Column { ExpertColumn, GroupColumn, ScoreColumn, BiasColumn, SumColumn, WeightColumn, ColumnCount };
    enum Role { StateRole = Qt::UserRole + 1 }; ///< State as int
    enum class State { Chosen, Beaten, GroupLeftOut };

    explicit DecisionModel(QObject *parent = nullptr);

    void setDecision(const RouterDecision &decision);
    void clear() { setDecision({}); }

    [[nodiscard]] int expertOf(int row) const { return m_rows[static_cast<std::size_t>(row)].expert; }

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;

private:
    struct Row {
        int expert = 0;
        int group = 0;
        State state = State::Beaten;
        float score = 0;
        float bias = 0;
        float weight = 0;
    };

    [[nodiscard]] static QString display(const Row &row, int column);

    std::vector<Row> m_rows;
};

/// The group of an expert, and whether its experts could be chosen.
int groupOf(const RouterDecision &decision, int expert);
bool isKept(const RouterDecision &decision, int group);

} // namespace bathyscope::ui
