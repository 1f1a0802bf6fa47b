// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/inspector/reply_routing.h"

namespace bathyscope::ui {

void ReplyRouting::follow(const ChatMessage &message, const std::shared_ptr<const ModelInfo> &model)
{
    if (m_message != message.id || m_model != model || m_counted > message.tokens.size()) {
        clear();
        m_message = message.id;
        m_model = model;
        if (model) {
            m_whole = RoutingAggregate(static_cast<int>(model->moeLayers.size()), model->experts,
                                       model->expertsPerToken);
            m_reasoning = m_whole;
            m_answer = m_whole;
        }
    }
    for (; m_counted < message.tokens.size(); ++m_counted) {
        const TokenRecord &record = message.tokens[m_counted];
        m_whole.add(record);
        if (record.section == Section::Reasoning)
            m_reasoning.add(record);
        else if (record.section == Section::Answer)
            m_answer.add(record);
    }
    if (m_keepsPairs && m_paired == 0 && model)
        m_pairs = CoActivation(m_whole.layers(), model->experts, model->expertsPerToken);
    for (; m_keepsPairs && m_paired < message.tokens.size(); ++m_paired)
        m_pairs.add(message.tokens[m_paired]);
}

void ReplyRouting::clear()
{
    const bool keepsPairs = m_keepsPairs;
    *this = ReplyRouting();
    m_keepsPairs = keepsPairs;
}

void ReplyRouting::keepPairs(bool keep)
{
    if (keep == m_keepsPairs)
        return;
    m_keepsPairs = keep;
    m_pairs = {};
    m_paired = 0;
}

} // namespace bathyscope::ui
