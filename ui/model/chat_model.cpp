// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/model/chat_model.h"

#include <algorithm>
#include <iterator>

namespace bathyscope::ui {

namespace {

QString decoded(const std::string &utf8)
{
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

QString shownText(const ChatMessage &message)
{
    return decoded(message.role == bathyscope::Role::Assistant ? message.answer.utf8 : message.text);
}

} // namespace

ChatModel::ChatModel(QObject *parent)
    : QAbstractListModel(parent)
{
}

int ChatModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_messages.size());
}

QVariant ChatModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const ChatMessage &entry = message(index.row());
    switch (role) {
    case IdRole:
        return QVariant::fromValue(static_cast<qint64>(entry.id));
    case AuthorRole:
        return static_cast<int>(entry.role);
    case StateRole:
        return static_cast<int>(entry.state);
    case Qt::DisplayRole:
    case TextRole:
        return shownText(entry);
    case ReasoningRole:
        return decoded(entry.reasoning.utf8);
    default:
        return {};
    }
}

QHash<int, QByteArray> ChatModel::roleNames() const
{
    return {{Qt::DisplayRole, "display"}, {IdRole, "id"},     {AuthorRole, "author"},
            {StateRole, "state"},         {TextRole, "text"}, {ReasoningRole, "reasoning"}};
}

const ChatMessage &ChatModel::message(int row) const
{
    return *m_messages[static_cast<std::size_t>(row)];
}

int ChatModel::rowOf(MessageId id) const
{
    // From the end: the message asked for is nearly always the one being written.
    const auto found = std::find_if(m_messages.rbegin(), m_messages.rend(),
                                    [id](const auto &entry) { return entry->id == id; });
    return static_cast<int>(std::distance(found, m_messages.rend())) - 1;
}

const ChatMessage *ChatModel::find(MessageId id) const
{
    const int row = rowOf(id);
    return row < 0 ? nullptr : &message(row);
}

void ChatModel::setMessages(std::vector<ChatMessage> messages)
{
    beginResetModel();
    m_messages.clear();
    m_messages.reserve(messages.size());
    for (ChatMessage &entry : messages)
        m_messages.push_back(std::make_unique<ChatMessage>(std::move(entry)));
    endResetModel();
}

void ChatModel::appendMessage(ChatMessage message)
{
    const int row = rowCount();
    beginInsertRows({}, row, row);
    m_messages.push_back(std::make_unique<ChatMessage>(std::move(message)));
    endInsertRows();
}

void ChatModel::removeFrom(int row)
{
    row = std::max(row, 0);
    if (row >= rowCount())
        return;
    beginRemoveRows({}, row, rowCount() - 1);
    m_messages.resize(static_cast<std::size_t>(row));
    endRemoveRows();
}

void ChatModel::appendTokens(MessageId id, std::vector<TokenRecord> records)
{
    const int row = rowOf(id);
    if (row < 0 || records.empty())
        return;
    ChatMessage &entry = *m_messages[static_cast<std::size_t>(row)];
    const auto first = static_cast<int>(entry.tokens.size());
    for (TokenRecord &record : records)
        entry.append(std::move(record));
    if (entry.state == MessageState::Waiting) {
        entry.state = MessageState::Streaming;
        entry.prefill.reset();
    }
    emit tokensAppended(id, first, static_cast<int>(records.size()));
    emit dataChanged(index(row), index(row), {Qt::DisplayRole, TextRole, ReasoningRole, StateRole});
}

void ChatModel::setPrefill(MessageId id, const PrefillProgress &progress)
{
    const int row = rowOf(id);
    if (row < 0)
        return;
    m_messages[static_cast<std::size_t>(row)]->prefill = progress;
    emit dataChanged(index(row), index(row), {StateRole});
}

void ChatModel::finish(MessageId id, MessageState state, const GenerationSummary &summary,
                       const QString &error)
{
    const int row = rowOf(id);
    if (row < 0)
        return;
    ChatMessage &entry = *m_messages[static_cast<std::size_t>(row)];
    entry.state = state;
    entry.prefill.reset();
    entry.summary = summary;
    entry.error = error;
    emit dataChanged(index(row), index(row), {StateRole});
}

} // namespace bathyscope::ui
