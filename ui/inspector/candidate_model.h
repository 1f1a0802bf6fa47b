// SPDX-License-Identifier: GPL-3.0-or-later
//
// The model's own distribution for one token, as rows of a table: the candidates, the chosen token if it is
// not among them, and the mass of all the others. In its other state, what the sampler left of it.
#pragma once

#include "engine/records.h"

#include <QAbstractTableModel>

#include <memory>
#include <unordered_map>
#include <vector>

namespace bathyscope::ui {

class CandidateModel : public QAbstractTableModel {
    Q_OBJECT

public:
    enum Column { RankColumn, TokenColumn, ProbabilityColumn, LogProbColumn, ColumnCount };
    enum Role {
        KindRole = Qt::UserRole + 1, ///< Kind as int
        ProbabilityRole, ///< double, 0…1
        TokenIdRole ///< int; invalid for the others
    };
    enum class Kind { Candidate, Chosen, Others };
    /// Whose probabilities are shown. After the sampler the last column names the stage that removed a token.
    enum class State { Model, Sampler };
    using Sampled = std::unordered_map<TokenId, SampledCandidate>;

    using QAbstractTableModel::QAbstractTableModel;

    /// Shows `record`. `vocabulary` may be null: then tokens are shown by their id.
    void setToken(const TokenRecord &record, std::shared_ptr<const Vocabulary> vocabulary);
    /// Shows only these tokens, by rank.
    void setTokens(std::vector<RankedToken> tokens, std::shared_ptr<const Vocabulary> vocabulary);
    /// What the sampler made of the candidates of the token shown; forgotten with it.
    void setSampled(Sampled sampled);
    void setState(State state);
    [[nodiscard]] State state() const { return m_state; }
    void clear();

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

    /// The rows at `rows` with a line of headings, tab-separated; rows that do not exist are left out.
    [[nodiscard]] QString toTsv(const std::vector<int> &rows) const;

private:
    struct Row {
        Kind kind = Kind::Candidate;
        int rank = 0; ///< 0: not known
        TokenId id = -1;
        QString text{};
        QString toolTip{};
        double probability = 0;
        double logProb = 0;
    };

    [[nodiscard]] Row tokenRow(TokenId id, double logProb) const;
    [[nodiscard]] QString display(const Row &row, int column) const;
    [[nodiscard]] const SampledCandidate *sampledOf(const Row &row) const;
    [[nodiscard]] QString samplerText(const Row &row, int column) const;

    std::vector<Row> m_rows;
    std::shared_ptr<const Vocabulary> m_vocabulary;
    State m_state = State::Model;
    Sampled m_sampled;
};

/// "top-p"
QString stageName(SamplerStage stage);

} // namespace bathyscope::ui
