// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/conversions.h"

namespace bathyscope::app {

ui::MessageState toShown(storage::MessageState state)
{
    switch (state) {
    case storage::MessageState::Complete:
        return ui::MessageState::Complete;
    case storage::MessageState::Streaming:
        return ui::MessageState::Streaming;
    case storage::MessageState::Stopped:
        return ui::MessageState::Stopped;
    case storage::MessageState::Interrupted:
        return ui::MessageState::Interrupted;
    case storage::MessageState::Failed:
        return ui::MessageState::Failed;
    }
    return ui::MessageState::Failed;
}

storage::MessageState stateAfter(FinishReason finish)
{
    switch (finish) {
    case FinishReason::EndOfSequence:
        return storage::MessageState::Complete;
    case FinishReason::MaxTokens:
    case FinishReason::ContextFull:
    case FinishReason::Cancelled:
        return storage::MessageState::Stopped;
    case FinishReason::Error:
        return storage::MessageState::Failed;
    }
    return storage::MessageState::Failed;
}

ui::ChatMessage toChatMessage(const storage::LoadedMessage &loaded)
{
    ui::ChatMessage message;
    message.id = loaded.message.id;
    message.role = loaded.message.role;
    message.state = toShown(loaded.message.state);
    if (message.role != Role::Assistant)
        message.text = loaded.message.text;
    for (const TokenRecord &token : loaded.tokens)
        message.append(TokenRecord(token));
    message.summary = loaded.message.summary;
    message.error = QString::fromStdString(loaded.damage.empty() ? loaded.message.error : loaded.damage);
    return message;
}

ui::ConversationEntry toEntry(const storage::Conversation &conversation)
{
    ui::ConversationEntry entry;
    entry.id = conversation.id;
    entry.title = QString::fromStdString(conversation.title);
    entry.updated = QDateTime::fromMSecsSinceEpoch(conversation.updated);
    entry.pinned = conversation.pinned;
    entry.folder = conversation.folder.value_or(0);
    return entry;
}

ui::ConversationEntry toEntry(const storage::SearchHit &hit)
{
    ui::ConversationEntry entry;
    entry.id = hit.conversation;
    entry.title = QString::fromStdString(hit.title);
    entry.message = hit.message.value_or(0);
    if (hit.message)
        entry.snippet = QString::fromStdString(hit.snippet);
    return entry;
}

ui::FolderEntry toEntry(const storage::Folder &folder)
{
    return {.id = folder.id, .name = QString::fromStdString(folder.name)};
}

} // namespace bathyscope::app
