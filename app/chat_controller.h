// SPDX-License-Identifier: GPL-3.0-or-later
//
// The open conversation: what the user asks goes to the item model, to the history and to the engine; what
// the engine answers goes to the item model and to the history.
#pragma once

#include "app/engine_client.h"
#include "app/history_client.h"
#include "ui/model/chat_model.h"
#include "ui/model/selection.h"
#include "ui/window/bottom_bar.h"

#include <QObject>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bathyscope::app {

using storage::ConversationId;
using storage::MessageId;

class ChatController : public QObject {
    Q_OBJECT

public:
    ChatController(EngineClient &engine, HistoryClient &history, QObject *parent = nullptr);

    [[nodiscard]] ui::ChatModel *messages() { return &m_messages; }
    [[nodiscard]] ui::Selection *selection() { return &m_selection; }
    [[nodiscard]] ConversationId conversation() const { return m_conversation; } ///< 0: not stored yet
    [[nodiscard]] bool isReplying() const { return m_reply.has_value(); }
    /// The loaded model; nullptr before the first one.
    [[nodiscard]] std::shared_ptr<const ModelInfo> model() const { return m_model; }
    /// The model that wrote a reply; nullptr when it is not known.
    [[nodiscard]] std::shared_ptr<const ModelInfo> modelOf(MessageId reply) const;

    void setSampling(const SamplingParameters &sampling) { m_sampling = sampling; }
    /// Of the open conversation.
    void setSystemPrompt(const QString &text);

    // What would disturb a running reply stops it first.
    // A history that is open for reading only takes no question.
    void ask(const QString &text); ///< ignored while a reply runs
    void edit(MessageId question, const QString &text); ///< asks anew, beside the old question
    void regenerate(MessageId reply); ///< beside the old reply
    void stop();
    void open(ConversationId id, MessageId message = 0); ///< with that message on the path and in sight
    void startNew(const QString &systemPrompt);
    void remove(ConversationId id);
    /// Shows nothing of the history, then does something with it as a whole; `action` is called once no reply
    /// runs.
    void leaveHistory(std::function<void()> action);
    /// What is known of the loaded model, for the replies that it writes.
    void storeModel();
    /// Shows the sibling that many places after a message, and the newest path below it.
    void showSibling(MessageId message, int delta);
    /// Answers anew beside a reply, from exactly its first `token` tokens and then `forced`. Nothing happens
    /// where objectionToReuse() has one.
    void fork(MessageId reply, int token, const Continuation &forced);

    /// Why the tokens of a reply cannot be given to the model again, for people; empty: they can.
    [[nodiscard]] QString objectionToReuse(MessageId reply) const;
    [[nodiscard]] std::vector<TokenId> idsOf(MessageId reply) const;
    [[nodiscard]] std::vector<Message> promptOf(MessageId reply) const;
    [[nodiscard]] std::optional<SamplingParameters> samplingOf(MessageId reply) const;
    /// Of a shown message, itself included, oldest first.
    [[nodiscard]] std::vector<MessageId> siblingsOf(MessageId message) const;

signals:
    /// Another conversation is shown; 0: a new one.
    void conversationChanged(bathyscope::storage::ConversationId id, const QString &systemPrompt);
    /// This message was asked for and is shown now.
    void messageOpened(bathyscope::storage::MessageId message);
    void siblingsChanged(bathyscope::storage::MessageId message, int index, int count);
    void replyingChanged(bool replying);
    void replyFinished(bathyscope::storage::MessageId reply);
    void statusChanged(const bathyscope::ui::EngineStatus &status);
    /// The list of conversations has changed in the history.
    void historyChanged();
    /// The shown conversation was removed.
    void conversationRemoved();

private:
    struct Reply {
        MessageId id = 0;
        ConversationId conversation = 0;
        MessageId parent = 0;
        SamplingParameters sampling;
        std::string model; ///< fingerprint; empty while no model is loaded
        bool stored = false;
        std::optional<float> firstSeconds; ///< of its first token
        int tokens = 0;
        int promptTokens = 0;
        std::vector<TokenRecord> start; ///< of a fork: the tokens that it shares with another reply
    };
    struct Fork {
        std::vector<TokenRecord> start;
        Continuation forced;
    };

    void addQuestion(const QString &text, std::vector<MessageId> siblings);
    void startReply(std::vector<MessageId> siblings, Fork fork = {});
    /// What the model is given of the messages before a row.
    [[nodiscard]] std::vector<Message> messagesBefore(int row) const;
    void setSiblings(MessageId message, std::vector<MessageId> siblings);
    /// At once, or after the running reply, which is stopped.
    void afterReply(std::function<void()> action);
    void load(ConversationId id, MessageId message = 0);
    void completeTitle();
    [[nodiscard]] bool canAsk() const { return m_history.state() != HistoryClient::State::ReadOnly; }
    void show(const storage::LoadedConversation &loaded);
    void showStatus();

    void onModelLoaded(const ModelLoaded &event);
    void onPromptProgress(const PromptProgress &event);
    void onTokens(const TokenBatch &event);
    void onReplyEnded(const ReplyEnded &event);
    void storeReply();

    EngineClient &m_engine;
    HistoryClient &m_history;
    ui::ChatModel m_messages;
    ui::Selection m_selection;
    ConversationId m_conversation = 0;
    ConversationId m_opening = 0; ///< being read from the history
    QString m_systemPrompt;
    SamplingParameters m_sampling;
    std::map<MessageId, std::vector<MessageId>> m_siblings; ///< of the shown messages, oldest first
    std::map<MessageId, std::string> m_replyModels; ///< fingerprints, of the shown replies
    std::map<MessageId, SamplingParameters> m_replySampling; ///< of the shown replies
    std::map<std::string, std::shared_ptr<const ModelInfo>> m_models; ///< by fingerprint
    std::shared_ptr<const ModelInfo> m_model;
    std::optional<Reply> m_reply;
    std::function<void()> m_afterReply;
    ui::EngineStatus m_status;
};

} // namespace bathyscope::app
