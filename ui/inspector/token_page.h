// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the model considered at one token: its candidates, and the experts it was routed through.
#pragma once

#include "ui/inspector/inspector_page.h"
#include "ui/inspector/routing_aggregate.h"

#include <optional>

namespace bathyscope::ui {

class CandidateModel;
class CandidateView;
class RoutingView;
class TokenHeader;

class TokenPage : public InspectorPage {
    Q_OBJECT

public:
    explicit TokenPage(QWidget *parent = nullptr);

    void inspect(const Inspected &shown) override;
    void clear() override;

    [[nodiscard]] CandidateModel *candidates() const { return m_candidates; }

private:
    void updateRouting(const Inspected &shown);

    CandidateModel *m_candidates;
    TokenHeader *m_header;
    CandidateView *m_table;
    RoutingView *m_routing;

    RoutingAggregate m_aggregate; ///< of m_aggregated, up to its token m_aggregatedTokens
    std::optional<MessageId> m_aggregated;
    std::shared_ptr<const ModelInfo> m_aggregatedModel;
    int m_aggregatedTokens = 0;
};

} // namespace bathyscope::ui
