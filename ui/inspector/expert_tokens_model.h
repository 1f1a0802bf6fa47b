// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tokens of a conversation that chose an expert most, as rows of a table.
#pragma once

#include "ui/inspector/column_model.h"
#include "ui/model/chat_model.h"
#include "ui/model/selection.h"

#include <vector>

namespace bathyscope::ui {

/// Which expert's tokens, as the records count them.
struct ExpertPlace {
    int row = 0; ///< among the MoE layers
    int expert = 0;
    int expertsPerToken = 0;

    bool operator==(const ExpertPlace &) const = default;
};

class ExpertTokensModel : public ColumnModel {
    Q_OBJECT

public:
    enum Column { WeightColumn, ContextColumn, ColumnCount };
    enum Role { BeforeRole = Qt::UserRole + 1, TokenRole, AfterRole };

    static constexpr int maxRows = 50;

    explicit ExpertTokensModel(QObject *parent = nullptr);

    /// The tokens with the largest weights among `replies`, which have the routing of one model. What was
    /// looked through before is not looked through again.
    void show(const ExpertPlace &place, const std::vector<const ChatMessage *> &replies);
    void clear();

    [[nodiscard]] TokenPosition positionOf(int row) const { return m_rows[static_cast<std::size_t>(row)].at; }
    [[nodiscard]] int found() const
    {
        return m_found;
    } ///< tokens that chose the expert, also those not shown

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role = Qt::DisplayRole) const override;

private:
    struct Row {
        TokenPosition at;
        float weight = 0;
        QString before{};
        QString token{};
        QString after{};
    };
    struct Seen {
        MessageId message = 0;
        std::size_t tokens = 0;
    };

    static void search(const ChatMessage &reply, std::size_t from, const ExpertPlace &place,
                       std::vector<Row> &found);
    static void readContext(const ChatMessage &reply, Row &row);

    ExpertPlace m_place;
    std::vector<Seen> m_seen;
    int m_found = 0;
    std::vector<Row> m_rows; ///< by weight, of equals the earlier first
};

} // namespace bathyscope::ui
