// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/token_page.h"

#include "ui/inspector/distribution_view.h"
#include "ui/inspector/routing_view.h"
#include "ui/inspector/token_header.h"

#include <QVBoxLayout>

namespace bathyscope::ui {

TokenPage::TokenPage(Selection *selection, QWidget *parent)
    : InspectorPage(parent)
    , m_header(new TokenHeader(this))
    , m_distribution(new DistributionView(selection, this))
    , m_routing(new RoutingView(selection, RoutingView::Extent::Token, this))
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_header);
    layout->addWidget(m_distribution);
    layout->addWidget(m_routing);
    layout->addStretch(1);
    connect(m_distribution, &DistributionView::pinRequested, this, &TokenPage::pinRequested);
    connect(m_distribution, &DistributionView::entropyMeasured, m_header, &TokenHeader::setEntropy);
}

CandidateModel *TokenPage::candidates() const
{
    return m_distribution->candidates();
}

void TokenPage::inspect(const Inspected &shown)
{
    const std::shared_ptr<const Vocabulary> vocabulary = shown.model ? shown.model->vocabulary : nullptr;
    m_header->setToken(shown.record(), shown.token, static_cast<int>(shown.message.tokens.size()),
                       vocabulary.get());
    m_distribution->inspect(shown);
    updateRouting(shown);
}

void TokenPage::clear()
{
    m_distribution->clear();
    m_reply = std::make_shared<ReplyRouting>();
}

const QAbstractItemModel *TokenPage::table() const
{
    return m_distribution->candidates();
}

void TokenPage::updateRouting(const Inspected &shown)
{
    if (shown.model != m_model)
        m_routing->setModel(shown.model.get());
    m_model = shown.model;
    m_reply->follow(shown.message, shown.model);
    m_routing->setData(shown.record(), m_reply);
}

} // namespace bathyscope::ui
