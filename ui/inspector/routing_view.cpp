// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/routing_view.h"

#include "ui/inspector/heat_legend.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/routing_heatmap.h"
#include "ui/inspector/token_display.h"
#include "ui/theme/theme.h"

#include <QLabel>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

RoutingView::RoutingView(Selection *selection, Extent extent, QWidget *parent)
    : QWidget(parent)
    , m_selection(selection)
    , m_sentence(new QLabel(this))
    , m_body(new QWidget(this))
    , m_controls(new HeatControls(m_body))
    , m_map(new RoutingHeatmap(m_body))
    , m_readout(new QLabel(m_body))
    , m_legend(new HeatLegend(m_body))
{
    auto *heading = new QLabel(tr("Experts of this token"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    heading->setVisible(extent == Extent::Token);
    auto *body = new QVBoxLayout(m_body);
    body->setContentsMargins(0, 0, 0, 0);
    body->setSpacing(6);
    body->addWidget(m_controls);
    body->addWidget(m_map);
    body->addWidget(m_readout);
    body->addWidget(m_legend);
    m_controls->setVisible(extent == Extent::Full);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(heading);
    layout->addWidget(m_sentence);
    layout->addWidget(m_body);
    QFont figures = theme::numberFont();
    figures.setPixelSize(12);
    m_readout->setFont(figures);
    m_readout->setTextFormat(Qt::PlainText);
    m_readout->setAccessibleName(tr("Cell of the map"));
    m_sentence->setProperty("role", QStringLiteral("secondary"));
    m_sentence->setWordWrap(true);
    connectMap();
    setModel(nullptr);
}

void RoutingView::connectMap()
{
    connect(m_map, &RoutingHeatmap::hoverChanged, this, [this] {
        const auto &cell = m_map->hovered();
        m_selection->setHoveredCell(cell ? RoutingCell{cell->layer, cell->expert} : RoutingCell{});
        updateReadout();
    });
    connect(m_map, &RoutingHeatmap::cellPicked, this, [this](const RoutingHeatmap::Cell &cell) {
        m_selection->setCell({cell.layer, cell.expert});
    });
    connect(m_map, &RoutingHeatmap::layerPicked, this, [this](int layer) {
        m_selection->setCell({layer, std::nullopt});
    });
    connect(m_selection, &Selection::changed, this, &RoutingView::showSelection);
    connect(m_selection, &Selection::pinnedChanged, this, &RoutingView::updatePin);
    connect(m_controls, &HeatControls::changed, this, [this] {
        updateOrder();
        updateMap();
    });
}

void RoutingView::showSelection()
{
    const RoutingCell &cell = m_selection->cell();
    m_map->setSelectedLayer(cell.layer);
    m_map->setSelectedCell(cell.layer && cell.expert
                               ? std::optional(RoutingHeatmap::Cell{*cell.layer, *cell.expert})
                               : std::nullopt);
    updateReadout();
}

void RoutingView::setModel(const ModelInfo *model)
{
    m_model = model != nullptr ? *model : ModelInfo{};
    m_record = {};
    m_reply.reset();
    setSibling(nullptr);
    m_order = HeatControls::Order::Number;
    const bool routes = m_model.experts > 0 && !m_model.moeLayers.empty();
    m_map->setShape(m_model.layers, m_model.moeLayers, routes ? m_model.experts : 0);
    m_sentence->setText(model == nullptr ? tr("The model that wrote this is not known, so its experts cannot "
                                              "be shown; open it to see them.")
                                         : tr("%1 is a dense model: it has no experts to route to.")
                                               .arg(QString::fromStdString(m_model.name)));
    m_sentence->setVisible(!routes);
    m_body->setVisible(routes);
    showSelection();
    updateMap();
}

void RoutingView::setData(const TokenRecord &record, std::shared_ptr<const ReplyRouting> reply)
{
    m_record.experts = record.experts;
    if (m_reply != reply)
        m_orderedTokens = 0;
    m_reply = std::move(reply);
    updateOrder();
    updateMap();
}

void RoutingView::updatePin()
{
    const PinnedToken &pinned = m_selection->pinned();
    m_controls->setPinned(pinned ? placedToken(*pinned.record, pinned.at.token) : QString());
    updateMap();
}

void RoutingView::setSibling(std::shared_ptr<const SiblingRouting> sibling)
{
    m_sibling = std::move(sibling);
    m_controls->setSibling(m_sibling ? std::optional(m_sibling->version) : std::nullopt);
    updateMap();
}

bool RoutingView::isOfThisShape(const RoutingAggregate &aggregate) const
{
    return aggregate.layers() == static_cast<int>(m_model.moeLayers.size())
        && aggregate.experts() == m_model.experts;
}

HeatNumbers RoutingView::numbers() const
{
    const HeatMode &mode = m_controls->mode();
    const auto weights = [this](const TokenRecord &record) {
        return weightsOf(record, static_cast<int>(m_model.moeLayers.size()), m_model.experts,
                         m_model.expertsPerToken);
    };
    const auto shares = [&](const RoutingAggregate &aggregate) {
        if (!isOfThisShape(aggregate) || aggregate.tokens() == 0)
            return HeatNumbers();
        HeatNumbers result = sharesOf(aggregate);
        return mode.share == HeatMode::Share::OverUniform ? overUniform(std::move(result), m_model.experts)
                                                          : result;
    };
    switch (mode.show) {
    case HeatMode::Show::Token:
        return weights(m_record);
    case HeatMode::Show::Pinned:
        return m_selection->pinned() ? differenceOf(weights(m_record), weights(*m_selection->pinned().record))
                                     : HeatNumbers();
    case HeatMode::Show::Reply:
        return m_reply ? shares(m_reply->whole()) : HeatNumbers();
    case HeatMode::Show::Sections:
        return m_reply ? differenceOf(shares(m_reply->reasoning()), shares(m_reply->answer()))
                       : HeatNumbers();
    case HeatMode::Show::Sibling:
        return m_sibling ? differenceOf(shares(m_sibling->shown), shares(m_sibling->other)) : HeatNumbers();
    }
    return {};
}

/// An order that followed every token would make the columns jump: it is made anew when a quarter more
/// tokens are there.
void RoutingView::updateOrder()
{
    const HeatControls::Order order = m_controls->order();
    const int tokens = m_reply ? m_reply->whole().tokens() : 0;
    if (order == m_order && tokens < m_orderedTokens + m_orderedTokens / 4 + 1 && tokens >= m_orderedTokens)
        return;
    if (order == HeatControls::Order::CoActivation && m_reply && m_reply->pairs().tokens() == 0)
        return; // its owner counts them first
    m_order = order;
    m_orderedTokens = tokens;
    if (order == HeatControls::Order::Number || !m_reply || !isOfThisShape(m_reply->whole()))
        m_map->setOrder({});
    else
        m_map->setOrder(order == HeatControls::Order::Load ? orderByLoad(m_reply->whole())
                                                           : m_reply->pairs().order());
}

void RoutingView::updateMap()
{
    m_numbers = numbers();
    const HeatScale scale(m_controls->mode(), m_numbers);
    m_map->setPlaces(scale.place(m_numbers), scale.isDiverging());
    updateLegend(scale);
    updateReadout();
}

QString RoutingView::quantity() const
{
    switch (m_controls->mode().show) {
    case HeatMode::Show::Token:
        return tr("weight, measured");
    case HeatMode::Show::Pinned:
        return tr("difference of weights, derived");
    case HeatMode::Show::Reply:
        return tr("share of the layer, derived");
    default:
        return tr("difference of shares, derived");
    }
}

QString RoutingView::numberText(float number) const
{
    const HeatMode &mode = m_controls->mode();
    const auto value = static_cast<double>(number);
    const QString sign = mode.isDifference() && number > 0 ? QStringLiteral("+") : QString();
    if (!mode.isOfShares())
        return sign + fixedText(value, 3);
    if (mode.share == HeatMode::Share::OverUniform)
        return sign + fixedText(value, 2) + QStringLiteral(" ×");
    return sign + fixedText(100 * value, 2) + QStringLiteral(" %");
}

void RoutingView::updateLegend(const HeatScale &scale)
{
    const auto text = [this](float number) {
        const HeatMode &mode = m_controls->mode();
        QString result = QString::number(static_cast<double>(
            mode.isOfShares() && mode.share == HeatMode::Share::Absolute ? 100 * number : number));
        result.replace(QLatin1Char('-'), QChar(0x2212));
        if (!mode.isOfShares())
            return result;
        return result
            + (mode.share == HeatMode::Share::OverUniform ? QStringLiteral(" ×") : QStringLiteral(" %"));
    };
    const QString middle = m_controls->mode().isDifference() ? tr("alike") : tr("uniform");
    m_legend->setScale({.quantity = quantity(),
                        .low = text(scale.low()),
                        .middle = scale.isDiverging() ? middle : QString(),
                        .high = text(scale.high())});
}

QString RoutingView::cellText() const
{
    const auto cell = m_map->cell();
    if (!cell || !m_reply || !isOfThisShape(m_reply->whole()))
        return {};
    const auto found = std::find(m_model.moeLayers.begin(), m_model.moeLayers.end(), cell->layer);
    if (found == m_model.moeLayers.end())
        return {};
    const int row = static_cast<int>(found - m_model.moeLayers.begin());
    const auto at = static_cast<std::size_t>(row * m_model.experts + cell->expert);
    const QString place = tr("Layer %1 · expert %2").arg(cell->layer).arg(cell->expert);
    const RoutingAggregate &whole = m_reply->whole();
    if (m_controls->mode().isDifference())
        return m_numbers.empty() ? place : tr("%1 · difference %2").arg(place, numberText(m_numbers[at]));
    const HeatNumbers weights = weightsOf(m_record, whole.layers(), whole.experts(), m_model.expertsPerToken);
    const QString chosen = !weights.empty() && weights[at] > 0
        ? tr("weight %1").arg(fixedText(static_cast<double>(weights[at]), 3))
        : tr("not chosen here");
    return tr("%1 · %2 · %3 of %4 tokens · share %5")
        .arg(place, chosen)
        .arg(whole.count(row, cell->expert))
        .arg(whole.tokens())
        .arg(percentText(whole.share(row, cell->expert)));
}

void RoutingView::updateReadout()
{
    QString text = cellText();
    m_map->setToolTip(text);
    if (text.isEmpty())
        text = m_numbers.empty() ? tr("There is nothing to show: no routing was recorded for it.")
                                 : tr("Point at a cell, or move through the map with the arrow keys.");
    m_readout->setText(text);
}

QString RoutingView::readout() const
{
    return m_readout->text();
}

} // namespace bathyscope::ui
