// SPDX-License-Identifier: GPL-3.0-or-later
//
// Reads all versions of the replies shown, for the views that compare them.
#pragma once

#include "app/chat_controller.h"
#include "app/history_client.h"
#include "ui/model/reply_version.h"

#include <QObject>

namespace bathyscope::app {

class VersionReader : public QObject {
    Q_OBJECT

public:
    /// Both must outlive this.
    VersionReader(ChatController &controller, HistoryClient &history, QObject *parent = nullptr);

signals:
    void versionsRead(const bathyscope::ui::ReplyVersions &versions);

private:
    void read(MessageId reply);

    ChatController &m_controller;
    HistoryClient &m_history;
};

} // namespace bathyscope::app
