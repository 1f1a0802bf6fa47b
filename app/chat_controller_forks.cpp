// SPDX-License-Identifier: GPL-3.0-or-later
//
// ChatController: replies that begin with the tokens of another one, and what must be known to use a reply's
// tokens again.
#include "app/chat_controller.h"

#include <algorithm>

namespace bathyscope::app {

QString ChatController::objectionToReuse(MessageId reply) const
{
    const ui::ChatMessage *message = m_messages.find(reply);
    if (message == nullptr || message->role != Role::Assistant)
        return tr("There is no such answer.");
    if (m_model == nullptr)
        return tr("No model is loaded.");
    if (message->isRunning())
        return tr("The answer is still being written.");
    const auto writer = m_replyModels.find(reply);
    if (writer == m_replyModels.end() || writer->second != m_model->fingerprint)
        return tr("Another model wrote this answer. Open that model to ask it.");
    const bool whole = std::none_of(message->tokens.begin(), message->tokens.end(),
                                    [](const TokenRecord &token) { return token.id < 0; });
    return whole ? QString() : tr("Some tokens of this answer are lost.");
}

std::vector<TokenId> ChatController::idsOf(MessageId reply) const
{
    std::vector<TokenId> ids;
    if (const ui::ChatMessage *message = m_messages.find(reply))
        for (const TokenRecord &token : message->tokens)
            ids.push_back(token.id);
    return ids;
}

std::vector<Message> ChatController::promptOf(MessageId reply) const
{
    return messagesBefore(m_messages.rowOf(reply));
}

std::optional<SamplingParameters> ChatController::samplingOf(MessageId reply) const
{
    const auto found = m_replySampling.find(reply);
    return found == m_replySampling.end() ? std::nullopt : std::optional(found->second);
}

std::vector<MessageId> ChatController::siblingsOf(MessageId message) const
{
    const auto found = m_siblings.find(message);
    return found == m_siblings.end() ? std::vector<MessageId>() : found->second;
}

void ChatController::fork(MessageId reply, int token, const Continuation &forced)
{
    afterReply([this, reply, token, forced] {
        const int row = m_messages.rowOf(reply);
        if (row <= 0 || !canAsk() || !objectionToReuse(reply).isEmpty())
            return;
        const std::vector<TokenRecord> &tokens = m_messages.message(row).tokens;
        if (token < 0 || token >= static_cast<int>(tokens.size()))
            return;
        Fork fork{{tokens.begin(), tokens.begin() + token}, forced};
        std::vector<MessageId> siblings = m_siblings[reply];
        m_selection.clear();
        m_messages.removeFrom(row);
        startReply(std::move(siblings), std::move(fork));
    });
}

} // namespace bathyscope::app
