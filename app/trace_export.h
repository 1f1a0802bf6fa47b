// SPDX-License-Identifier: GPL-3.0-or-later
//
// The open conversation's trace as a file.
#pragma once

#include "app/chat_controller.h"

#include <QObject>

#include <thread>

namespace bathyscope::app {

/// Writes on a thread of its own: a long conversation takes seconds.
class TraceExport : public QObject {
    Q_OBJECT

public:
    explicit TraceExport(ChatController &controller, QObject *parent = nullptr);

    /// As JSON Lines or tensors, by the name's ending (engine/trace/trace_file.h). Ends with written() or
    /// failed(); one after the other.
    void write(const QString &file);

signals:
    void written(const QString &file);
    void failed(const QString &what);

private:
    ChatController &m_controller;
    std::jthread m_thread;
};

} // namespace bathyscope::app
