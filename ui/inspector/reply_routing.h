// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/inspector/expert_order.h"
#include "ui/inspector/routing_aggregate.h"
#include "ui/model/chat_message.h"

#include <memory>
#include <optional>

namespace bathyscope::ui {

/// The routing of one reply as a whole and by section, kept up while it grows.
class ReplyRouting {
public:
    /// Counts the tokens that `message` has gained. Another message, or another model, begins anew.
    void follow(const ChatMessage &message, const std::shared_ptr<const ModelInfo> &model);
    void clear();
    /// Whether follow() counts pairs of experts too: 256 experts and 8 a token take it 1,600 counts a token.
    void keepPairs(bool keep);

    [[nodiscard]] const RoutingAggregate &whole() const { return m_whole; }
    [[nodiscard]] const RoutingAggregate &reasoning() const { return m_reasoning; }
    [[nodiscard]] const RoutingAggregate &answer() const { return m_answer; }
    /// Of the whole reply; empty unless they are kept.
    [[nodiscard]] const CoActivation &pairs() const { return m_pairs; }

private:
    RoutingAggregate m_whole;
    RoutingAggregate m_reasoning;
    RoutingAggregate m_answer;
    CoActivation m_pairs;
    bool m_keepsPairs = false;
    std::size_t m_paired = 0; ///< tokens of the message that m_pairs has seen
    std::optional<MessageId> m_message;
    std::shared_ptr<const ModelInfo> m_model;
    std::size_t m_counted = 0; ///< tokens of the message
};

} // namespace bathyscope::ui
