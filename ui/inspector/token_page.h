// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the model considered at one token: its candidates, and the experts it was routed through.
#pragma once

#include "ui/inspector/inspector_page.h"
#include "ui/inspector/reply_routing.h"
#include "ui/model/selection.h"

namespace bathyscope::ui {

class CandidateModel;
class DistributionView;
class RoutingView;
class TokenHeader;

class TokenPage : public InspectorPage {
    Q_OBJECT

public:
    explicit TokenPage(Selection *selection, QWidget *parent = nullptr);

    void inspect(const Inspected &shown) override;
    void clear() override;
    [[nodiscard]] const QAbstractItemModel *table() const override;

    [[nodiscard]] CandidateModel *candidates() const;
    [[nodiscard]] DistributionView *distribution() const { return m_distribution; }

private:
    void updateRouting(const Inspected &shown);

    TokenHeader *m_header;
    DistributionView *m_distribution;
    RoutingView *m_routing;

    std::shared_ptr<const ModelInfo> m_model; ///< whose experts are shown
    std::shared_ptr<ReplyRouting> m_reply = std::make_shared<ReplyRouting>();
};

} // namespace bathyscope::ui
