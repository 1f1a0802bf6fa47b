// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/routing_view.h"

#include "ui/inspector/heat_legend.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/routing_aggregate.h"
#include "ui/inspector/routing_heatmap.h"
#include "ui/theme/theme.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QLabel>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>

namespace bathyscope::ui {

namespace {

/// The next 1, 2, 3 or 5 times a power of ten: a scale that does not change with every token.
float niceCeiling(float value)
{
    if (!(value > 0))
        return 1;
    const float power = std::pow(10.0F, std::floor(std::log10(value)));
    for (const float step : {1.0F, 2.0F, 3.0F, 5.0F})
        if (value <= step * power * 1.0001F)
            return step * power;
    return 10 * power;
}

} // namespace

RoutingView::RoutingView(QWidget *parent)
    : QWidget(parent)
    , m_sentence(new QLabel(this))
    , m_body(new QWidget(this))
    , m_tokenButton(segment(tr("This token"), "first", Mode::Token, QStringLiteral("T")))
    , m_answerButton(segment(tr("Whole answer"), "last", Mode::Answer, QStringLiteral("W")))
    , m_map(new RoutingHeatmap(m_body))
    , m_readout(new QLabel(m_body))
    , m_legend(new HeatLegend(m_body))
{
    auto *heading = new QLabel(tr("Experts"), this);
    heading->setProperty("role", QStringLiteral("heading"));
    auto *group = new QButtonGroup(this);
    group->addButton(m_tokenButton);
    group->addButton(m_answerButton);
    auto *top = new QHBoxLayout;
    top->setSpacing(0);
    top->addWidget(heading, 1);
    top->addWidget(m_tokenButton);
    top->addWidget(m_answerButton);
    auto *body = new QVBoxLayout(m_body);
    body->setContentsMargins(0, 0, 0, 0);
    body->setSpacing(6);
    body->addWidget(m_map);
    body->addWidget(m_readout);
    body->addWidget(m_legend);
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addLayout(top);
    layout->addWidget(m_sentence);
    layout->addWidget(m_body);
    QFont figures = theme::numberFont();
    figures.setPixelSize(12);
    m_readout->setFont(figures);
    m_readout->setTextFormat(Qt::PlainText);
    m_readout->setAccessibleName(tr("Cell of the map"));
    m_sentence->setProperty("role", QStringLiteral("secondary"));
    m_sentence->setWordWrap(true);
    m_tokenButton->setChecked(true);
    connect(m_map, &RoutingHeatmap::cellChanged, this, &RoutingView::updateReadout);
    setModel(nullptr);
}

QToolButton *RoutingView::segment(const QString &text, const char *place, Mode mode, const QString &key)
{
    auto *button = new QToolButton(this);
    button->setText(text);
    button->setCheckable(true);
    button->setFont(theme::smallFont());
    button->setProperty("segment", QLatin1String(place));
    button->setFocusPolicy(Qt::StrongFocus);
    button->setToolTip(tr("Alt+%1").arg(key));
    button->setShortcut(QKeySequence(QStringLiteral("Alt+") + key));
    connect(button, &QToolButton::toggled, this, [this, mode](bool on) {
        if (on)
            setMode(mode);
    });
    return button;
}

void RoutingView::setModel(const ModelInfo *model)
{
    m_model = model != nullptr ? *model : ModelInfo{};
    m_record = {};
    m_answer.reset();
    const bool routes = m_model.experts > 0 && !m_model.moeLayers.empty();
    m_map->setShape(m_model.layers, m_model.moeLayers, routes ? m_model.experts : 0);
    m_sentence->setText(model == nullptr ? tr("The model that wrote this is not known, so its experts cannot "
                                              "be shown; open it to see them.")
                                         : tr("%1 is a dense model: it has no experts to route to.")
                                               .arg(QString::fromStdString(m_model.name)));
    m_sentence->setVisible(!routes);
    m_body->setVisible(routes);
    m_tokenButton->setVisible(routes);
    m_answerButton->setVisible(routes);
    updateMap();
}

void RoutingView::setData(const TokenRecord &record, const RoutingAggregate &answer)
{
    m_record.id = record.id;
    m_record.experts = record.experts;
    m_answer = std::make_shared<const RoutingAggregate>(answer);
    updateMap();
}

void RoutingView::setMode(Mode mode)
{
    m_mode = mode;
    (mode == Mode::Token ? m_tokenButton : m_answerButton)->setChecked(true);
    updateMap();
}

float RoutingView::weightOf(int row, int expert) const
{
    const auto perToken = static_cast<std::size_t>(m_model.expertsPerToken);
    const std::size_t begin = static_cast<std::size_t>(row) * perToken;
    if (begin + perToken > m_record.experts.size())
        return 0;
    for (std::size_t i = begin; i < begin + perToken; ++i)
        if (m_record.experts[i].expert == expert)
            return m_record.experts[i].weight;
    return 0;
}

void RoutingView::updateMap()
{
    const auto rows = m_model.moeLayers.size();
    const auto experts = static_cast<std::size_t>(std::max(0, m_model.experts));
    std::vector<float> values(rows * experts);
    const auto perToken = static_cast<std::size_t>(std::max(1, m_model.expertsPerToken));
    const bool answerFits =
        m_answer && m_answer->layers() == static_cast<int>(rows) && m_answer->experts() == m_model.experts;
    if (m_mode == Mode::Answer && answerFits) {
        for (std::size_t at = 0; at < values.size(); ++at)
            values[at] = static_cast<float>(
                m_answer->share(static_cast<int>(at / experts), static_cast<int>(at % experts)));
    } else if (m_mode == Mode::Token && m_record.experts.size() == rows * perToken) {
        for (std::size_t i = 0; i < m_record.experts.size(); ++i)
            if (m_record.experts[i].expert < experts)
                values[i / perToken * experts + m_record.experts[i].expert] = m_record.experts[i].weight;
    }
    const float largest = values.empty() ? 0 : *std::max_element(values.begin(), values.end());
    const float end = niceCeiling(largest);
    m_map->setValues(std::move(values), end);
    if (m_mode == Mode::Token)
        m_legend->setScale(tr("weight"), QString::number(static_cast<double>(end)));
    else
        m_legend->setScale(tr("share of the layer"),
                           QStringLiteral("%1 %").arg(100.0 * static_cast<double>(end)));
    updateReadout();
}

QString RoutingView::cellText() const
{
    const auto cell = m_map->cell();
    if (!cell || !m_answer)
        return {};
    const auto found = std::find(m_model.moeLayers.begin(), m_model.moeLayers.end(), cell->layer);
    if (found == m_model.moeLayers.end() || m_answer->experts() != m_model.experts)
        return {};
    const int row = static_cast<int>(found - m_model.moeLayers.begin());
    const float weight = weightOf(row, cell->expert);
    const QString chosen =
        weight > 0 ? tr("weight %1").arg(fixedText(static_cast<double>(weight), 3)) : tr("not chosen here");
    return tr("Layer %1 · expert %2 · %3 · %4 of %5 tokens · share %6")
        .arg(cell->layer)
        .arg(cell->expert)
        .arg(chosen)
        .arg(m_answer->count(row, cell->expert))
        .arg(m_answer->tokens())
        .arg(percentText(m_answer->share(row, cell->expert)));
}

void RoutingView::updateReadout()
{
    QString text = cellText();
    m_map->setToolTip(text);
    if (text.isEmpty())
        text = m_record.experts.empty() && m_mode == Mode::Token
            ? tr("No routing was recorded for this token.")
            : tr("Point at a cell, or move through the map with the arrow keys.");
    m_readout->setText(text);
}

QString RoutingView::readout() const
{
    return m_readout->text();
}

} // namespace bathyscope::ui
