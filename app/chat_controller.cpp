// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/chat_controller.h"

#include "app/conversions.h"
#include "ui/window/format.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace bathyscope::app {

namespace {

bool isOnPath(const storage::LoadedConversation &conversation, MessageId message)
{
    return std::any_of(
        conversation.path.begin(), conversation.path.end(),
        [message](const storage::LoadedMessage &entry) { return entry.message.id == message; });
}

} // namespace

ChatController::ChatController(EngineClient &engine, HistoryClient &history, QObject *parent)
    : QObject(parent)
    , m_engine(engine)
    , m_history(history)
{
    connect(&engine, &EngineClient::modelLoaded, this, &ChatController::onModelLoaded);
    connect(&engine, &EngineClient::promptProgress, this, &ChatController::onPromptProgress);
    connect(&engine, &EngineClient::tokens, this, &ChatController::onTokens);
    connect(&engine, &EngineClient::replyEnded, this, &ChatController::onReplyEnded);
}

std::shared_ptr<const ModelInfo> ChatController::modelOf(MessageId reply) const
{
    const auto fingerprint = m_replyModels.find(reply);
    if (fingerprint == m_replyModels.end())
        return nullptr;
    const auto model = m_models.find(fingerprint->second);
    return model == m_models.end() ? nullptr : model->second;
}

void ChatController::setSystemPrompt(const QString &text)
{
    if (text == m_systemPrompt)
        return;
    m_systemPrompt = text;
    if (m_conversation == 0)
        return;
    m_history.write([id = m_conversation, prompt = text.toStdString()](storage::History &history) {
        history.setSystemPrompt(id, prompt);
    });
}

void ChatController::ask(const QString &text)
{
    if (!canAsk() || isReplying() || text.trimmed().isEmpty())
        return;
    addQuestion(text, {});
    startReply({});
}

void ChatController::edit(MessageId question, const QString &text)
{
    if (!canAsk() || text.trimmed().isEmpty())
        return;
    afterReply([this, question, text] {
        const int row = m_messages.rowOf(question);
        if (row < 0)
            return;
        std::vector<MessageId> siblings = m_siblings[question];
        m_selection.clear();
        m_messages.removeFrom(row);
        addQuestion(text, std::move(siblings));
        startReply({});
    });
}

void ChatController::regenerate(MessageId reply)
{
    if (!canAsk())
        return;
    afterReply([this, reply] {
        const int row = m_messages.rowOf(reply);
        if (row <= 0 || m_messages.message(row).role != Role::Assistant)
            return;
        std::vector<MessageId> siblings = m_siblings[reply];
        m_selection.clear();
        m_messages.removeFrom(row);
        startReply(std::move(siblings));
    });
}

void ChatController::stop()
{
    m_engine.cancel();
}

void ChatController::open(ConversationId id, MessageId message)
{
    afterReply([this, id, message] { load(id, message); });
}

void ChatController::leaveHistory(std::function<void()> action)
{
    afterReply([this, action = std::move(action)] {
        m_opening = 0;
        storage::LoadedConversation empty;
        empty.info.systemPrompt = m_systemPrompt.toStdString();
        show(empty);
        action();
    });
}

void ChatController::startNew(const QString &systemPrompt)
{
    afterReply([this, systemPrompt] {
        storage::LoadedConversation empty;
        empty.info.systemPrompt = systemPrompt.toStdString();
        m_opening = 0;
        show(empty);
    });
}

void ChatController::remove(ConversationId id)
{
    const auto removeStored = [this, id] {
        m_history.write([id](storage::History &history) { history.remove(id); },
                        [this] { emit historyChanged(); });
    };
    if (id != m_conversation) {
        removeStored();
        return;
    }
    afterReply([this, removeStored] {
        removeStored();
        emit conversationRemoved();
    });
}

void ChatController::showSibling(MessageId message, int delta)
{
    const auto found = m_siblings.find(message);
    if (found == m_siblings.end())
        return;
    const std::vector<MessageId> &siblings = found->second;
    const auto place = std::find(siblings.begin(), siblings.end(), message) - siblings.begin() + delta;
    if (delta == 0 || place < 0 || place >= std::ssize(siblings))
        return;
    const MessageId target = siblings[static_cast<std::size_t>(place)];
    afterReply([this, target] {
        m_history.write([target](storage::History &history) { history.selectBranch(target); });
        load(m_conversation);
    });
}

/// Appends a question to the shown path, and stores it with its conversation when it is the first one.
void ChatController::addQuestion(const QString &text, std::vector<MessageId> siblings)
{
    m_opening = 0;
    storage::StoredMessage stored;
    stored.id = m_history.newId();
    stored.role = Role::User;
    stored.text = text.toStdString();
    if (const int rows = m_messages.rowCount(); rows > 0)
        stored.parent = m_messages.message(rows - 1).id;
    std::optional<storage::Conversation> created;
    if (m_conversation == 0) {
        m_conversation = m_history.newId();
        created.emplace();
        created->id = m_conversation;
        created->title = ui::titleFrom(text).toStdString();
        created->systemPrompt = m_systemPrompt.toStdString();
    }
    stored.conversation = m_conversation;
    m_history.write(
        [created, stored](storage::History &history) {
            if (created)
                history.create(*created);
            history.addMessage(stored);
        },
        [this] { emit historyChanged(); });

    ui::ChatMessage shown;
    shown.id = stored.id;
    shown.role = Role::User;
    shown.text = stored.text;
    m_messages.appendMessage(std::move(shown));
    siblings.push_back(stored.id);
    setSiblings(stored.id, std::move(siblings));
    if (created)
        emit conversationChanged(m_conversation, m_systemPrompt);
}

void ChatController::startReply(std::vector<MessageId> siblings, Fork fork)
{
    Request request;
    request.prompt = messagesBefore(m_messages.rowCount());
    request.sampling = m_sampling;
    request.forced = std::move(fork.forced);
    Reply reply;
    reply.id = m_history.newId();
    reply.conversation = m_conversation;
    reply.parent = m_messages.message(m_messages.rowCount() - 1).id;
    reply.sampling = m_sampling;

    ui::ChatMessage shown;
    shown.id = reply.id;
    shown.role = Role::Assistant;
    shown.state = ui::MessageState::Waiting;
    for (const TokenRecord &token : fork.start) {
        request.replyStart.push_back(token.id);
        shown.append(TokenRecord(token));
    }
    reply.start = std::move(fork.start);
    m_messages.appendMessage(std::move(shown));
    siblings.push_back(reply.id);
    setSiblings(reply.id, std::move(siblings));

    const MessageId id = reply.id;
    m_reply = std::move(reply);
    emit replyingChanged(true);
    m_engine.generate(id, std::move(request));
}

std::vector<Message> ChatController::messagesBefore(int end) const
{
    std::vector<Message> path;
    if (!m_systemPrompt.trimmed().isEmpty())
        path.push_back({Role::System, m_systemPrompt.toStdString()});
    for (int row = 0; row < end; ++row) {
        const ui::ChatMessage &message = m_messages.message(row);
        // Of earlier replies the model is given the answer only, as its template demands.
        path.push_back({message.role, message.role == Role::Assistant ? message.answer.utf8 : message.text});
    }
    return path;
}

void ChatController::setSiblings(MessageId message, std::vector<MessageId> siblings)
{
    const auto place = std::find(siblings.begin(), siblings.end(), message);
    const int index = static_cast<int>(place - siblings.begin());
    const int count = static_cast<int>(siblings.size());
    m_siblings[message] = std::move(siblings);
    emit siblingsChanged(message, index, count);
}

void ChatController::afterReply(std::function<void()> action)
{
    if (!isReplying()) {
        action();
        return;
    }
    m_afterReply = std::move(action);
    m_engine.cancel();
}

/// Reads a conversation with the models that its replies need.
void ChatController::load(ConversationId id, MessageId message)
{
    struct Opened {
        storage::LoadedConversation conversation;
        std::vector<ModelInfo> models;
    };
    m_opening = id;
    m_history.read<Opened>(
        [id, message](storage::History &history) {
            Opened opened{history.load(id), {}};
            if (message != 0 && !isOnPath(opened.conversation, message)) {
                (void)history.selectBranch(message);
                opened.conversation = history.load(id);
            }
            std::map<std::string, bool> seen;
            for (const storage::LoadedMessage &entry : opened.conversation.path) {
                const std::string &fingerprint = entry.message.model;
                if (fingerprint.empty() || !seen.emplace(fingerprint, true).second)
                    continue;
                if (std::optional<ModelInfo> model = history.model(fingerprint))
                    opened.models.push_back(std::move(*model));
            }
            return opened;
        },
        [this, id, message](Opened opened) {
            if (m_opening != id)
                return;
            m_opening = 0;
            for (ModelInfo &model : opened.models) {
                std::string fingerprint = model.fingerprint;
                m_models.emplace(std::move(fingerprint), std::make_shared<const ModelInfo>(std::move(model)));
            }
            show(opened.conversation);
            if (message != 0)
                emit messageOpened(message);
        });
}

void ChatController::show(const storage::LoadedConversation &loaded)
{
    m_selection.clear();
    m_siblings.clear();
    m_replyModels.clear();
    m_replySampling.clear();
    m_conversation = loaded.info.id;
    m_systemPrompt = QString::fromStdString(loaded.info.systemPrompt);
    m_status.contextUsed = 0;
    std::vector<ui::ChatMessage> messages;
    for (const storage::LoadedMessage &entry : loaded.path) {
        messages.push_back(toChatMessage(entry));
        if (!entry.message.model.empty())
            m_replyModels[entry.message.id] = entry.message.model;
        if (entry.message.sampling)
            m_replySampling[entry.message.id] = *entry.message.sampling;
        if (entry.message.summary)
            m_status.contextUsed = entry.message.summary->contextUsed;
    }
    m_messages.setMessages(std::move(messages));
    for (const storage::LoadedMessage &entry : loaded.path)
        setSiblings(entry.message.id, entry.siblings);
    emit conversationChanged(m_conversation, m_systemPrompt);
    showStatus();
}

void ChatController::showStatus()
{
    if (m_model) {
        m_status.contextLength = m_model->contextLength;
        m_status.cacheBytes = m_model->cacheBytesPerToken * m_status.contextUsed;
        m_status.latentCache = m_model->architecture.starts_with("deepseek");
    }
    emit statusChanged(m_status);
}

void ChatController::onModelLoaded(const ModelLoaded &event)
{
    m_model = std::make_shared<const ModelInfo>(event.model);
    m_models[m_model->fingerprint] = m_model;
    storeModel();
    m_status.decodeSpeed = 0;
    m_status.prefillSpeed = 0;
    showStatus();
}

void ChatController::storeModel()
{
    if (m_model && canAsk())
        m_history.write([model = m_model](storage::History &history) { history.storeModel(*model); });
}

/// Once the engine has taken it up, so that it is known which model writes it.
void ChatController::storeReply()
{
    if (m_reply->stored)
        return;
    m_reply->stored = true;
    if (m_model) {
        m_reply->model = m_model->fingerprint;
        m_replyModels[m_reply->id] = m_reply->model;
    }
    storage::StoredMessage stored;
    stored.id = m_reply->id;
    stored.conversation = m_reply->conversation;
    stored.parent = m_reply->parent;
    stored.role = Role::Assistant;
    stored.model = m_reply->model;
    stored.sampling = m_reply->sampling;
    m_replySampling[m_reply->id] = m_reply->sampling;
    m_history.write([stored](storage::History &history) { history.beginReply(stored); });
    if (!m_reply->start.empty())
        m_history.appendTokens(m_reply->id, m_reply->start);
}

/// After the first exchange, unless the user has given another title meanwhile.
void ChatController::completeTitle()
{
    if (m_messages.rowCount() != 2)
        return;
    const QString question = QString::fromStdString(m_messages.message(0).text);
    const QString answer = QString::fromStdString(m_messages.message(1).answer.utf8);
    const std::string before = ui::titleFrom(question).toStdString();
    const std::string title = ui::titleFrom(question, answer).toStdString();
    if (title == before)
        return;
    m_history.write(
        [id = m_reply->conversation, before, title](storage::History &history) {
            if (history.load(id).info.title == before)
                history.rename(id, title);
        },
        [this] { emit historyChanged(); });
}

void ChatController::onPromptProgress(const PromptProgress &event)
{
    if (!m_reply || event.reply != m_reply->id)
        return;
    storeReply();
    m_reply->promptTokens = event.progress.total;
    m_messages.setPrefill(event.reply, event.progress);
    m_status.contextUsed = event.progress.done;
    showStatus();
}

void ChatController::onTokens(const TokenBatch &event)
{
    if (!m_reply || event.reply != m_reply->id || event.tokens.empty())
        return;
    storeReply();
    if (!m_reply->firstSeconds)
        m_reply->firstSeconds = event.tokens.front().seconds;
    std::vector<TokenRecord> tokens = event.tokens;
    // The clock of a fork goes on where the shared tokens end.
    if (!m_reply->start.empty())
        for (TokenRecord &token : tokens)
            token.seconds += m_reply->start.back().seconds;
    m_reply->tokens += static_cast<int>(event.tokens.size());
    const float seconds = event.tokens.back().seconds - *m_reply->firstSeconds;
    if (seconds > 0)
        m_status.decodeSpeed = (m_reply->tokens - 1) / static_cast<double>(seconds);
    m_status.contextUsed = m_reply->promptTokens + m_reply->tokens;
    m_history.appendTokens(event.reply, tokens);
    m_messages.appendTokens(event.reply, std::move(tokens));
    showStatus();
}

void ChatController::onReplyEnded(const ReplyEnded &event)
{
    if (!m_reply || event.reply != m_reply->id)
        return;
    storeReply();
    const GenerationSummary &summary = event.summary;
    const storage::MessageState state = stateAfter(summary.finish);
    m_history.write(
        [id = event.reply, state, summary](storage::History &history) {
            history.finishReply(id, state, summary, summary.error);
        },
        [this] { emit historyChanged(); });
    m_messages.finish(event.reply, toShown(state), summary, QString::fromStdString(summary.error));
    if (summary.finish != FinishReason::Error)
        m_status.contextUsed = summary.contextUsed;
    if (summary.decodeSeconds > 0)
        m_status.decodeSpeed = summary.generatedTokens / summary.decodeSeconds;
    if (summary.prefillSeconds > 0)
        m_status.prefillSpeed = (summary.promptTokens - summary.reusedTokens) / summary.prefillSeconds;
    completeTitle();
    m_reply.reset();
    emit replyingChanged(false);
    emit replyFinished(event.reply);
    showStatus();
    if (const auto action = std::exchange(m_afterReply, {}))
        action();
}

} // namespace bathyscope::app
