// SPDX-License-Identifier: GPL-3.0-or-later
//
// The open conversation as an item model: one row a message.
#pragma once

#include "ui/model/chat_message.h"

#include <QAbstractListModel>

#include <memory>

namespace bathyscope::ui {

class ChatModel : public QAbstractListModel {
    Q_OBJECT

public:
    enum Role {
        IdRole = Qt::UserRole + 1,
        AuthorRole, ///< bathyscope::Role as int
        StateRole, ///< MessageState as int
        TextRole, ///< question, or answer of a reply
        ReasoningRole
    };

    explicit ChatModel(QObject *parent = nullptr);

    [[nodiscard]] int rowCount(const QModelIndex &parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex &index, int role) const override;
    [[nodiscard]] QHash<int, QByteArray> roleNames() const override;

    /// The message of a row; row must be valid.
    [[nodiscard]] const ChatMessage &message(int row) const;
    [[nodiscard]] int rowOf(MessageId id) const; ///< -1 when there is none
    /// nullptr when there is none. Valid until the model changes.
    [[nodiscard]] const ChatMessage *find(MessageId id) const;

    void setMessages(std::vector<ChatMessage> messages); ///< another conversation
    void appendMessage(ChatMessage message);
    void removeFrom(int row); ///< that row and all below it
    /// Appends a batch to a reply: one tokensAppended, one dataChanged.
    void appendTokens(MessageId id, std::vector<TokenRecord> records);
    void setPrefill(MessageId id, const PrefillProgress &progress);
    void finish(MessageId id, MessageState state, const GenerationSummary &summary,
                const QString &error = {});

signals:
    /// `count` records were appended to the message's tokens, from index `first`.
    void tokensAppended(bathyscope::ui::MessageId id, int first, int count);

private:
    std::vector<std::unique_ptr<ChatMessage>> m_messages;
};

} // namespace bathyscope::ui
