// SPDX-License-Identifier: GPL-3.0-or-later
//
// The heatmap with its controls, the line that names a cell, and the scale.
#pragma once

#include "ui/inspector/heat_controls.h"
#include "ui/inspector/reply_routing.h"
#include "ui/model/selection.h"

#include <QWidget>

#include <memory>

class QLabel;

namespace bathyscope::ui {

class HeatLegend;
class RoutingHeatmap;

/// Linked both ways with the selection: a click or the arrow keys select layer and expert, and what is
/// selected elsewhere is outlined here.
class RoutingView : public QWidget {
    Q_OBJECT

public:
    enum class Extent {
        Token, ///< the experts of one token, without controls
        Full ///< all modes, scales and orders
    };

    RoutingView(Selection *selection, Extent extent, QWidget *parent = nullptr);

    /// Shape of the map; a model without experts shows a sentence instead.
    void setModel(const ModelInfo *model);
    /// `record` is the token shown; `reply`, kept up by its owner, counts its whole reply.
    void setData(const TokenRecord &record, std::shared_ptr<const ReplyRouting> reply);
    /// What Show::Pinned compares with; its name is for people. Null: nothing.
    void setPinned(std::shared_ptr<const TokenRecord> record, const QString &name);
    /// What Show::Sibling compares with; null: nothing.
    void setSibling(std::shared_ptr<const ReplyRouting> sibling);

    [[nodiscard]] HeatControls *controls() const { return m_controls; }
    [[nodiscard]] RoutingHeatmap *heatmap() const { return m_map; }
    /// The line under the map.
    [[nodiscard]] QString readout() const;

private:
    void connectMap();
    void updateMap();
    void updateOrder();
    void updateLegend(const HeatScale &scale);
    void updateReadout();
    void showSelection();
    [[nodiscard]] HeatNumbers numbers() const;
    [[nodiscard]] bool isOfThisShape(const RoutingAggregate &aggregate) const;
    [[nodiscard]] QString cellText() const;
    [[nodiscard]] QString numberText(float number) const;
    [[nodiscard]] QString quantity() const;

    Selection *m_selection;
    ModelInfo m_model;
    TokenRecord m_record; ///< its experts only
    std::shared_ptr<const ReplyRouting> m_reply;
    std::shared_ptr<const TokenRecord> m_pinned;
    std::shared_ptr<const ReplyRouting> m_sibling;
    HeatNumbers m_numbers;
    HeatControls::Order m_order = HeatControls::Order::Number;
    int m_orderedTokens = 0; ///< that the order was made of

    QLabel *m_sentence;
    QWidget *m_body;
    HeatControls *m_controls;
    RoutingHeatmap *m_map;
    QLabel *m_readout;
    HeatLegend *m_legend;
};

} // namespace bathyscope::ui
