// SPDX-License-Identifier: GPL-3.0-or-later
//
// Between what the history stores and what the window shows.
#pragma once

#include "storage/history_types.h"
#include "ui/conversations/conversation_model.h"
#include "ui/model/chat_message.h"

namespace bathyscope::app {

/// A stored message as the chat shows it.
ui::ChatMessage toChatMessage(const storage::LoadedMessage &loaded);

ui::ConversationEntry toEntry(const storage::Conversation &conversation);
ui::ConversationEntry toEntry(const storage::SearchHit &hit);
ui::FolderEntry toEntry(const storage::Folder &folder);

ui::MessageState toShown(storage::MessageState state);

/// The state of a reply that ended this way; never Streaming.
storage::MessageState stateAfter(FinishReason finish);

} // namespace bathyscope::app
