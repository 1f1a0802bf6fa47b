// SPDX-License-Identifier: GPL-3.0-or-later
//
// One window for each history: who starts the program a second time gets the window that is there. The lock
// of the history decides who is first (storage/platform_lock.h); this only carries the message.
#pragma once

#include <QLocalServer>
#include <QObject>
#include <QString>

namespace bathyscope::app {

/// Held by the instance that has the history. Other users of the machine cannot reach it.
class InstanceServer : public QObject {
    Q_OBJECT

public:
    /// Listens for the history in this folder. When the system does not allow it, nobody is heard.
    explicit InstanceServer(const QString &historyFolder, QObject *parent = nullptr);

signals:
    void raiseRequested();

private:
    QLocalServer m_server;
};

/// Asks the instance that has the history in this folder to show its window. False when none answers.
bool raiseOtherInstance(const QString &historyFolder);

} // namespace bathyscope::app
