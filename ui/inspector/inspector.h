// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the model considered at one token: its candidates, and the experts it was routed through.
#pragma once

#include "ui/inspector/routing_aggregate.h"
#include "ui/model/chat_model.h"
#include "ui/model/selection.h"

#include <QTimer>
#include <QWidget>

#include <functional>
#include <memory>
#include <optional>

class QLabel;
class QStackedLayout;

namespace bathyscope::ui {

class CandidateModel;
class CandidateView;
class RoutingView;
class TokenHeader;

/// Shows the selected token; while nothing is selected, the newest one of the reply that is being written.
/// Left and right walk from token to token (with Alt also inside the heatmap). Does nothing while hidden.
class Inspector : public QWidget {
    Q_OBJECT

public:
    using ModelProvider = std::function<std::shared_ptr<const ModelInfo>(MessageId)>;

    /// Both must outlive the inspector.
    Inspector(ChatModel *chat, Selection *selection, QWidget *parent = nullptr);

    /// The model of every message that the provider knows none for.
    void setModel(const ModelInfo &model);
    /// Tells which model wrote a message; may return null.
    void setModelProvider(ModelProvider provider);
    /// Shows only `reason`, for a backend that cannot feed the inspector; empty: available again.
    void setUnavailable(const QString &reason);

    /// The token shown, if any.
    [[nodiscard]] std::optional<TokenPosition> shownToken() const { return m_shown; }
    [[nodiscard]] CandidateModel *candidates() const { return m_candidates; }
    [[nodiscard]] QSize sizeHint() const override { return {468, 860}; }

protected:
    void showEvent(QShowEvent *event) override;

private:
    void onTokensAppended(MessageId id, int first, int count);
    void onConversationChanged();
    void refresh();
    void showPosition(const ChatMessage &message, int token);
    void showHint(const QString &text);
    void updateRouting(const ChatMessage &message, int token);
    void walk(int step);
    [[nodiscard]] std::optional<TokenPosition> wanted() const;
    [[nodiscard]] std::shared_ptr<const ModelInfo> modelOf(MessageId id) const;

    ChatModel *m_chat;
    Selection *m_selection;
    ModelProvider m_provider;
    std::shared_ptr<const ModelInfo> m_model;
    QString m_unavailable;

    CandidateModel *m_candidates;
    TokenHeader *m_header;
    CandidateView *m_table;
    RoutingView *m_routing;
    QLabel *m_hint;
    QStackedLayout *m_pages;

    std::optional<TokenPosition> m_shown;
    std::optional<MessageId> m_followed; ///< the reply last written to
    QTimer m_refreshTimer;

    RoutingAggregate m_aggregate; ///< of m_aggregated, up to its token m_aggregatedTokens
    std::optional<MessageId> m_aggregated;
    std::shared_ptr<const ModelInfo> m_aggregatedModel;
    int m_aggregatedTokens = 0;
};

} // namespace bathyscope::ui
