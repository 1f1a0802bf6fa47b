// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two versions of an answer side by side, token by token from where they part.
#pragma once

#include "ui/model/reply_version.h"

#include <QAbstractTableModel>

#include <optional>

namespace bathyscope::ui {

class ForkComparison : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column {
        PlaceColumn, ///< index of the token, from 1
        LeftColumn,
        LeftProbabilityColumn,
        RightColumn,
        RightProbabilityColumn,
        ExpertsColumn, ///< share of the experts that both tokens were routed to, over all layers (derived)
        ColumnCount
    };

    using QAbstractTableModel::QAbstractTableModel;

    /// Indices into the versions; nothing is shown when one is not there.
    void setVersions(ReplyVersions versions, int left, int right, int expertsPerToken);

    /// The first token that differs.
    [[nodiscard]] int forkToken() const { return m_fork; }

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    [[nodiscard]] const TokenRecord *token(int version, int place) const;
    [[nodiscard]] QString display(int place, int column) const;

    ReplyVersions m_versions;
    int m_left = 0;
    int m_right = 0;
    int m_fork = 0;
    int m_end = 0; ///< tokens of the longer one
    int m_expertsPerToken = 0;
};

/// Of the experts of `a`, the share that `b` was routed to as well, layer by layer; none when one was not
/// recorded. Both have `perToken` experts in every layer, by ascending expert.
std::optional<double> sharedExperts(const TokenRecord &a, const TokenRecord &b, int perToken);

} // namespace bathyscope::ui
