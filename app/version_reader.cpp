// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/version_reader.h"

#include "app/conversions.h"

namespace bathyscope::app {

VersionReader::VersionReader(ChatController &controller, HistoryClient &history, QObject *parent)
    : QObject(parent)
    , m_controller(controller)
    , m_history(history)
{
    connect(&controller, &ChatController::siblingsChanged, this,
            [this](MessageId message, int, int) { read(message); });
    connect(&controller, &ChatController::replyFinished, this, &VersionReader::read);
}

void VersionReader::read(MessageId reply)
{
    const ui::ChatMessage *shown = m_controller.messages()->find(reply);
    const std::vector<MessageId> siblings = m_controller.siblingsOf(reply);
    const bool hasVersions = shown != nullptr && shown->role == Role::Assistant && siblings.size() > 1;
    if (!hasVersions || shown->isRunning()) // one that is written comes when it has ended
        return;
    m_history.read<ui::ReplyVersions>(
        [siblings](storage::History &history) {
            auto versions = std::make_shared<std::vector<ui::ChatMessage>>();
            for (const MessageId id : siblings)
                versions->push_back(toChatMessage(history.message(id)));
            return ui::ReplyVersions(std::move(versions));
        },
        [this](const ui::ReplyVersions &versions) { emit versionsRead(versions); });
}

} // namespace bathyscope::app
