// SPDX-License-Identifier: GPL-3.0-or-later
//
// Two versions of an answer side by side, token by token from where they part.
#pragma once

#include "ui/inspector/column_model.h"
#include "ui/model/token_alignment.h"
#include "ui/model/versions.h"

#include <optional>

namespace bathyscope::ui {

/// The version shown is on the left.
class ForkComparison : public ColumnModel {
    Q_OBJECT

public:
    enum Column {
        PlaceColumn, ///< indices of the tokens, from 1
        LeftColumn,
        LeftProbabilityColumn,
        RightColumn,
        RightProbabilityColumn,
        ExpertsColumn, ///< share of the experts that both tokens were routed to, over all layers (derived)
        ColumnCount
    };

    explicit ForkComparison(QObject *parent = nullptr);

    void setPair(const VersionPair &pair, int expertsPerToken);

    /// The first token that differs.
    [[nodiscard]] int forkToken() const { return m_fork; }
    [[nodiscard]] const std::vector<AlignedTokens> &rows() const { return m_rows; }
    /// Whether what stands in the row is not the same token twice.
    [[nodiscard]] bool differs(const AlignedTokens &row) const;
    /// The row of a token of the version shown; -1: none.
    [[nodiscard]] int rowOf(int token) const;
    /// Mean of ExpertsColumn over the rows that have it; none where there is none.
    [[nodiscard]] std::optional<double> sharedExperts() const;

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;

private:
    [[nodiscard]] const TokenRecord *left(const AlignedTokens &row) const;
    [[nodiscard]] const TokenRecord *right(const AlignedTokens &row) const;
    [[nodiscard]] std::optional<double> sharedExpertsOf(const AlignedTokens &row) const;
    [[nodiscard]] QString display(const AlignedTokens &row, int column) const;

    VersionPair m_pair;
    int m_fork = 0;
    int m_expertsPerToken = 0;
    std::vector<AlignedTokens> m_rows;
};

/// Of the experts of `a`, the share that `b` was routed to as well, layer by layer; none when one was not
/// recorded. Both have `perToken` experts in every layer, by ascending expert.
std::optional<double> sharedExperts(const TokenRecord &a, const TokenRecord &b, int perToken);

} // namespace bathyscope::ui
