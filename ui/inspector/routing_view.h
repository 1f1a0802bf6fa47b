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

/// Two versions of a reply, from the token on in which they part.
struct SiblingRouting {
    RoutingAggregate shown;
    RoutingAggregate other;
    int version = 0; ///< number of the other one, from 0
};

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
    /// What Show::Sibling compares; null: nothing.
    void setSibling(std::shared_ptr<const SiblingRouting> sibling);

    [[nodiscard]] HeatControls *controls() const { return m_controls; }
    [[nodiscard]] RoutingHeatmap *heatmap() const { return m_map; }
    /// The line under the map.
    [[nodiscard]] QString readout() const;

private:
    void connectMap();
    void updateMap();
    void updatePin();
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
    std::shared_ptr<const SiblingRouting> m_sibling;
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
