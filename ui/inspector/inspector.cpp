// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/inspector.h"

#include "ui/inspector/candidate_model.h"
#include "ui/inspector/candidate_view.h"
#include "ui/inspector/routing_view.h"
#include "ui/inspector/token_header.h"
#include "ui/theme/theme.h"

#include <QLabel>
#include <QScrollArea>
#include <QShortcut>
#include <QStackedLayout>
#include <QVBoxLayout>

#include <algorithm>

namespace bathyscope::ui {

namespace {

constexpr int margin = 16;
constexpr int refreshInterval = 50; // ms; while following a reply, numbers change no faster than one can see

} // namespace

Inspector::Inspector(ChatModel *chat, Selection *selection, QWidget *parent)
    : QWidget(parent)
    , m_chat(chat)
    , m_selection(selection)
    , m_candidates(new CandidateModel(this))
    , m_header(new TokenHeader(this))
    , m_table(new CandidateView(m_candidates, this))
    , m_routing(new RoutingView(this))
    , m_hint(new QLabel(this))
    , m_pages(new QStackedLayout(this))
{
    setAccessibleName(tr("Inspector"));
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    auto *column = new QWidget;
    auto *layout = new QVBoxLayout(column);
    layout->setContentsMargins(margin, margin, margin, margin);
    layout->setSpacing(12);
    layout->addWidget(m_header);
    layout->addWidget(m_table);
    layout->addWidget(m_routing);
    layout->addStretch(1);
    auto *scroll = new QScrollArea(this);
    scroll->setWidget(column);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    m_hint->setAlignment(Qt::AlignCenter);
    m_hint->setWordWrap(true);
    m_hint->setMargin(40);
    m_hint->setProperty("role", QStringLiteral("secondary"));
    m_pages->addWidget(scroll);
    m_pages->addWidget(m_hint);

    m_refreshTimer.setSingleShot(true);
    m_refreshTimer.setInterval(refreshInterval);
    connect(&m_refreshTimer, &QTimer::timeout, this, &Inspector::refresh);
    connect(m_chat, &ChatModel::tokensAppended, this, &Inspector::onTokensAppended);
    connect(m_chat, &QAbstractItemModel::modelReset, this, &Inspector::onConversationChanged);
    connect(m_chat, &QAbstractItemModel::rowsRemoved, this, &Inspector::onConversationChanged);
    connect(m_selection, &Selection::changed, this, &Inspector::refresh);
    const std::pair<QKeySequence, int> walks[] = {
        {Qt::Key_Left, -1}, {Qt::Key_Right, 1}, {Qt::ALT | Qt::Key_Left, -1}, {Qt::ALT | Qt::Key_Right, 1}};
    for (const auto &[key, step] : walks) {
        auto *shortcut = new QShortcut(key, this);
        shortcut->setContext(Qt::WidgetWithChildrenShortcut);
        connect(shortcut, &QShortcut::activated, this, [this, by = step] { walk(by); });
    }
    refresh();
}

void Inspector::setModel(const ModelInfo &model)
{
    m_model = std::make_shared<const ModelInfo>(model);
    refresh();
}

void Inspector::setModelProvider(ModelProvider provider)
{
    m_provider = std::move(provider);
    refresh();
}

void Inspector::setUnavailable(const QString &reason)
{
    m_unavailable = reason;
    refresh();
}

std::shared_ptr<const ModelInfo> Inspector::modelOf(MessageId id) const
{
    if (m_provider)
        if (auto model = m_provider(id))
            return model;
    return m_model;
}

void Inspector::showEvent(QShowEvent *event)
{
    QWidget::showEvent(event);
    refresh();
}

void Inspector::onTokensAppended(MessageId id, int, int)
{
    m_followed = id;
    if (isVisible() && !m_refreshTimer.isActive())
        m_refreshTimer.start();
}

void Inspector::onConversationChanged()
{
    m_followed.reset();
    m_aggregated.reset();
    refresh();
}

std::optional<TokenPosition> Inspector::wanted() const
{
    if (m_selection->token())
        return m_selection->token();
    if (!m_followed)
        return {};
    const ChatMessage *message = m_chat->find(*m_followed);
    if (message == nullptr || message->tokens.empty())
        return {};
    return TokenPosition{*m_followed, static_cast<int>(message->tokens.size()) - 1};
}

void Inspector::refresh()
{
    if (!isVisible())
        return;
    if (!m_unavailable.isEmpty()) {
        showHint(m_unavailable);
        return;
    }
    const std::optional<TokenPosition> position = wanted();
    const ChatMessage *message = position ? m_chat->find(position->message) : nullptr;
    if (message == nullptr || position->token < 0
        || position->token >= static_cast<int>(message->tokens.size())) {
        showHint(tr("Click a token in the chat to see what else the model considered."));
        return;
    }
    m_shown = position;
    showPosition(*message, position->token);
    m_pages->setCurrentIndex(0);
}

void Inspector::showHint(const QString &text)
{
    m_shown.reset();
    m_candidates->clear();
    m_hint->setText(text);
    m_pages->setCurrentIndex(1);
}

void Inspector::showPosition(const ChatMessage &message, int token)
{
    const TokenRecord &record = message.tokens[static_cast<std::size_t>(token)];
    const std::shared_ptr<const ModelInfo> model = modelOf(message.id);
    const std::shared_ptr<const Vocabulary> vocabulary = model ? model->vocabulary : nullptr;
    m_header->setToken(record, token, static_cast<int>(message.tokens.size()), vocabulary.get());
    m_candidates->setToken(record, vocabulary);
    updateRouting(message, token);
}

void Inspector::updateRouting(const ChatMessage &message, int token)
{
    const std::shared_ptr<const ModelInfo> model = modelOf(message.id);
    const int count = static_cast<int>(message.tokens.size());
    const bool modelChanged = model != m_aggregatedModel;
    if (modelChanged)
        m_routing->setModel(model.get());
    if (modelChanged || m_aggregated != message.id || m_aggregatedTokens > count) {
        m_aggregatedModel = model;
        m_aggregated = message.id;
        m_aggregatedTokens = 0;
        m_aggregate = model ? RoutingAggregate(static_cast<int>(model->moeLayers.size()), model->experts,
                                               model->expertsPerToken)
                            : RoutingAggregate();
    }
    for (; m_aggregatedTokens < count; ++m_aggregatedTokens)
        m_aggregate.add(message.tokens[static_cast<std::size_t>(m_aggregatedTokens)]);
    m_routing->setData(message.tokens[static_cast<std::size_t>(token)], m_aggregate);
}

void Inspector::walk(int step)
{
    if (!m_shown)
        return;
    const ChatMessage *message = m_chat->find(m_shown->message);
    if (message == nullptr)
        return;
    const int last = static_cast<int>(message->tokens.size()) - 1;
    m_selection->setToken(TokenPosition{m_shown->message, std::clamp(m_shown->token + step, 0, last)});
}

} // namespace bathyscope::ui
