// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/experts_page.h"

#include "ui/inspector/context_delegate.h"
#include "ui/inspector/decision_view.h"
#include "ui/inspector/expert_tokens_model.h"
#include "ui/inspector/layer_model.h"
#include "ui/inspector/number_format.h"
#include "ui/inspector/plain_table.h"
#include "ui/inspector/routing_heatmap.h"
#include "ui/inspector/routing_view.h"
#include "ui/model/fork_tree.h"

#include <QLabel>
#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

ExpertsPage::ExpertsPage(ChatModel *chat, Selection *selection, Versions *versions, ModelOf modelOf,
                         QWidget *parent)
    : InspectorPage(parent)
    , m_chat(chat)
    , m_selection(selection)
    , m_versions(versions)
    , m_modelOf(std::move(modelOf))
    , m_map(new RoutingView(selection, RoutingView::Extent::Full, this))
    , m_tabs(new QTabBar(this))
    , m_details(new QStackedWidget(this))
    , m_decision(new DecisionView(selection, this))
    , m_tokens(new ExpertTokensModel(this))
    , m_tokenTable(new PlainTable(m_tokens, tr("Tokens that chose the expert most"), 12, this))
    , m_tokenLine(new QLabel(this))
    , m_layers(new LayerModel(this))
    , m_layerTable(new PlainTable(m_layers, tr("Load of the layers"), 12, this))
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_map);
    layout->addWidget(buildDetails());
    layout->addStretch(1);
    connect(m_map->controls(), &HeatControls::changed, this, &ExpertsPage::onControlsChanged);
    connect(m_map->controls(), &HeatControls::pinRequested, this, &ExpertsPage::pinRequested);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_details->setCurrentIndex(index);
        updateDetail();
    });
    connect(m_tokenTable, &PlainTable::rowPicked, this,
            [this](int row) { m_selection->setToken(m_tokens->positionOf(row)); });
    connect(m_layerTable, &PlainTable::rowPicked, this, [this](int row) {
        m_selection->setCell({m_layers->layerOf(row), m_layers->busiestOf(row)});
    });
}

QWidget *ExpertsPage::buildDetails()
{
    auto *tokens = new QWidget;
    auto *column = new QVBoxLayout(tokens);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(6);
    column->addWidget(m_tokenLine);
    column->addWidget(m_tokenTable);
    column->addStretch(1);
    m_tokenLine->setProperty("role", QStringLiteral("secondary"));
    m_tokenLine->setWordWrap(true);
    m_tokenTable->setItemDelegateForColumn(ExpertTokensModel::ContextColumn, new ContextDelegate(this));
    m_tokenTable->setMouseTracking(true);
    for (const QString &title : {tr("Why these"), tr("Tokens of the expert"), tr("Layers")})
        m_tabs->addTab(title);
    m_tabs->setAccessibleName(tr("Details of the routing"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    m_details->addWidget(m_decision);
    m_details->addWidget(tokens);
    m_details->addWidget(m_layerTable);
    auto *details = new QWidget(this);
    auto *layout = new QVBoxLayout(details);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_tabs);
    layout->addWidget(m_details);
    return details;
}

void ExpertsPage::inspect(const Inspected &shown)
{
    const bool modelChanged = shown.model != m_model;
    m_model = shown.model;
    if (modelChanged) {
        m_map->setModel(m_model.get());
        m_pair.reset();
    }
    m_tabs->parentWidget()->setVisible(layer().has_value());
    m_shown = TokenPosition{shown.message.id, shown.token};
    updateReply(shown);
    updateSibling(shown.message.id);
    updateDetail();
}

void ExpertsPage::updateReply(const Inspected &shown)
{
    m_reply->keepPairs(m_map->controls()->order() == HeatControls::Order::CoActivation);
    m_reply->follow(shown.message, m_model);
    m_map->setData(shown.record(), m_reply);
}

void ExpertsPage::updateSibling(MessageId reply)
{
    const VersionPair pair = m_versions->pairOf(reply);
    if (m_pair == pair)
        return;
    m_pair = pair;
    if (!pair || !layer()) {
        m_map->setSibling(nullptr);
        return;
    }
    const RoutingAggregate empty(static_cast<int>(m_model->moeLayers.size()), m_model->experts,
                                 m_model->expertsPerToken);
    SiblingRouting sibling{empty, empty, pair.other};
    const auto fork = static_cast<std::size_t>(forkToken(pair.shownReply(), pair.otherReply()));
    const auto count = [fork](const ChatMessage &version, RoutingAggregate &aggregate) {
        for (std::size_t token = fork; token < version.tokens.size(); ++token)
            aggregate.add(version.tokens[token]);
    };
    count(pair.shownReply(), sibling.shown);
    count(pair.otherReply(), sibling.other);
    m_map->setSibling(std::make_shared<const SiblingRouting>(std::move(sibling)));
}

void ExpertsPage::clear()
{
    m_shown.reset();
    m_tokens->clear();
    m_layers->clear();
    m_decision->clear();
}

const ChatMessage *ExpertsPage::message() const
{
    return m_shown ? m_chat->find(m_shown->message) : nullptr;
}

void ExpertsPage::onControlsChanged()
{
    const ChatMessage *reply = message();
    if (reply != nullptr && m_shown->token < static_cast<int>(reply->tokens.size()))
        updateReply({*reply, m_shown->token, m_model});
}

ExpertsPage::Detail ExpertsPage::detail() const
{
    return static_cast<Detail>(m_tabs->currentIndex());
}

const QAbstractItemModel *ExpertsPage::table() const
{
    switch (detail()) {
    case Detail::Decision:
        return m_decision->model();
    case Detail::Tokens:
        return m_tokens;
    case Detail::Layers:
        return m_layers;
    }
    return nullptr;
}

void ExpertsPage::setDetail(Detail detail)
{
    m_tabs->setCurrentIndex(static_cast<int>(detail));
}

int ExpertsPage::rowOf(int layer) const
{
    const auto &layers = m_model->moeLayers;
    const auto found = std::lower_bound(layers.begin(), layers.end(), layer);
    return found != layers.end() && *found == layer ? static_cast<int>(found - layers.begin()) : -1;
}

std::optional<int> ExpertsPage::layer() const
{
    if (!m_model || m_model->moeLayers.empty() || m_model->experts == 0)
        return {};
    const std::optional<int> selected = m_selection->cell().layer;
    return selected && rowOf(*selected) >= 0 ? *selected : m_model->moeLayers.front();
}

int ExpertsPage::expertIn(int layer) const
{
    const RoutingCell &cell = m_selection->cell();
    if (cell.expert && cell.layer == layer)
        return *cell.expert;
    const auto k = static_cast<std::size_t>(m_model->expertsPerToken);
    const std::size_t begin = static_cast<std::size_t>(rowOf(layer)) * k;
    const std::vector<ExpertChoice> &experts =
        message()->tokens[static_cast<std::size_t>(m_shown->token)].experts;
    if (begin + k > experts.size())
        return 0;
    const auto first = experts.begin() + static_cast<std::ptrdiff_t>(begin);
    return std::max_element(first, first + static_cast<std::ptrdiff_t>(k),
                            [](const ExpertChoice &a, const ExpertChoice &b) { return a.weight < b.weight; })
        ->expert;
}

/// Only what is in sight is kept up.
void ExpertsPage::updateDetail()
{
    const ChatMessage *reply = message();
    const std::optional<int> wanted = layer();
    if (reply == nullptr || !wanted || m_shown->token >= static_cast<int>(reply->tokens.size()))
        return;
    switch (detail()) {
    case Detail::Decision:
        if (reply->isRunning())
            m_decision->showReason(tr("This is measured when the reply has ended."));
        else
            m_decision->show(*m_shown, *wanted);
        break;
    case Detail::Tokens:
        updateTokens(*wanted, expertIn(*wanted));
        break;
    case Detail::Layers:
        updateLayers();
        break;
    }
}

void ExpertsPage::updateTokens(int layer, int expert)
{
    std::vector<const ChatMessage *> replies;
    for (int row = 0; row < m_chat->rowCount(); ++row) {
        const ChatMessage &other = m_chat->message(row);
        if (other.role != Role::Assistant)
            continue;
        const auto model = m_modelOf(other.id);
        if (model && model->fingerprint == m_model->fingerprint)
            replies.push_back(&other);
    }
    m_tokens->show({rowOf(layer), expert, m_model->expertsPerToken}, replies);
    m_tokenLine->setText(
        tr("Layer %1, expert %2 · tokens of this conversation that chose it: %3, the largest weights first.")
            .arg(layer)
            .arg(expert)
            .arg(groupedText(m_tokens->found())));
}

void ExpertsPage::updateLayers()
{
    m_layers->setLoads(m_model->moeLayers, m_reply->whole());
    const QSignalBlocker quiet(m_layerTable);
    if (const std::optional<int> selected = m_selection->cell().layer)
        m_layerTable->selectRow(m_layers->rowOf(*selected));
}

} // namespace bathyscope::ui
