// SPDX-License-Identifier: GPL-3.0-or-later
//
// How a reply was routed: the map with all its modes, and below it why the selected token's experts were
// chosen, the tokens of the selected expert, and the load of all layers.
#pragma once

#include "ui/inspector/inspector_page.h"
#include "ui/inspector/reply_routing.h"
#include "ui/model/chat_model.h"
#include "ui/model/selection.h"
#include "ui/model/versions.h"

#include <functional>
#include <optional>

class QLabel;
class QStackedWidget;
class QTabBar;

namespace bathyscope::ui {

class DecisionView;
class ExpertTokensModel;
class LayerModel;
class PlainTable;
class RoutingView;

class ExpertsPage : public InspectorPage {
    Q_OBJECT

public:
    /// The model that wrote a reply; may be null.
    using ModelOf = std::function<std::shared_ptr<const ModelInfo>(MessageId)>;
    enum class Detail { Decision, Tokens, Layers };

    /// Chat, selection and versions must outlive the page.
    ExpertsPage(ChatModel *chat, Selection *selection, Versions *versions, ModelOf modelOf,
                QWidget *parent = nullptr);

    void inspect(const Inspected &shown) override;
    void clear() override;
    /// Of the detail in front.
    [[nodiscard]] const QAbstractItemModel *table() const override;

    [[nodiscard]] RoutingView *map() const { return m_map; }
    [[nodiscard]] DecisionView *decision() const { return m_decision; }
    [[nodiscard]] Detail detail() const;
    void setDetail(Detail detail);

private:
    QWidget *buildDetails();
    void updateReply(const Inspected &shown);
    void updateSibling(MessageId reply);
    void updateDetail();
    void updateTokens(int layer, int expert);
    void updateLayers();
    void onControlsChanged();
    [[nodiscard]] const ChatMessage *message() const;
    /// The selected layer, else the first that routes; none in a dense model.
    [[nodiscard]] std::optional<int> layer() const;
    /// The selected expert, else the one of the largest weight of the token.
    [[nodiscard]] int expertIn(int layer) const;
    [[nodiscard]] int rowOf(int layer) const; ///< among the MoE layers; -1: dense

    ChatModel *m_chat;
    Selection *m_selection;
    Versions *m_versions;
    ModelOf m_modelOf;
    std::optional<TokenPosition> m_shown;
    std::shared_ptr<const ModelInfo> m_model;
    std::shared_ptr<ReplyRouting> m_reply = std::make_shared<ReplyRouting>();
    std::optional<VersionPair> m_pair; ///< that the map's comparison was counted of

    RoutingView *m_map;
    QTabBar *m_tabs;
    QStackedWidget *m_details;
    DecisionView *m_decision;
    ExpertTokensModel *m_tokens;
    PlainTable *m_tokenTable;
    QLabel *m_tokenLine;
    LayerModel *m_layers;
    PlainTable *m_layerTable;
};

} // namespace bathyscope::ui
