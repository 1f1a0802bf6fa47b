// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/token_page.h"

#include "ui/inspector/candidate_model.h"
#include "ui/inspector/candidate_view.h"
#include "ui/inspector/routing_view.h"
#include "ui/inspector/token_header.h"

#include <QVBoxLayout>

namespace bathyscope::ui {

TokenPage::TokenPage(QWidget *parent)
    : InspectorPage(parent)
    , m_candidates(new CandidateModel(this))
    , m_header(new TokenHeader(this))
    , m_table(new CandidateView(m_candidates, this))
    , m_routing(new RoutingView(this))
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_header);
    layout->addWidget(m_table);
    layout->addWidget(m_routing);
    layout->addStretch(1);
}

void TokenPage::inspect(const Inspected &shown)
{
    const std::shared_ptr<const Vocabulary> vocabulary = shown.model ? shown.model->vocabulary : nullptr;
    m_header->setToken(shown.record(), shown.token, static_cast<int>(shown.message.tokens.size()),
                       vocabulary.get());
    m_candidates->setToken(shown.record(), vocabulary);
    updateRouting(shown);
}

void TokenPage::clear()
{
    m_candidates->clear();
    m_aggregated.reset();
}

void TokenPage::updateRouting(const Inspected &shown)
{
    const int count = static_cast<int>(shown.message.tokens.size());
    const bool modelChanged = shown.model != m_aggregatedModel;
    if (modelChanged)
        m_routing->setModel(shown.model.get());
    if (modelChanged || m_aggregated != shown.message.id || m_aggregatedTokens > count) {
        m_aggregatedModel = shown.model;
        m_aggregated = shown.message.id;
        m_aggregatedTokens = 0;
        m_aggregate = shown.model ? RoutingAggregate(static_cast<int>(shown.model->moeLayers.size()),
                                                     shown.model->experts, shown.model->expertsPerToken)
                                  : RoutingAggregate();
    }
    for (; m_aggregatedTokens < count; ++m_aggregatedTokens)
        m_aggregate.add(shown.message.tokens[static_cast<std::size_t>(m_aggregatedTokens)]);
    m_routing->setData(shown.record(), m_aggregate);
}

} // namespace bathyscope::ui
