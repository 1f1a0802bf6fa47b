// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/trace_export.h"

#include "engine/error.h"
#include "engine/trace/trace_file.h"

namespace bathyscope::app {

namespace {

std::vector<TracedMessage> traced(ChatController &controller)
{
    const ui::ChatModel &messages = *controller.messages();
    std::vector<TracedMessage> result;
    for (int row = 0; row < messages.rowCount(); ++row) {
        const ui::ChatMessage &message = messages.message(row);
        result.push_back({message.role, message.text, message.tokens,
                          message.role == Role::Assistant ? controller.modelOf(message.id) : nullptr,
                          message.summary});
    }
    return result;
}

} // namespace

TraceExport::TraceExport(ChatController &controller, QObject *parent)
    : QObject(parent)
    , m_controller(controller)
{
}

void TraceExport::write(const QString &file)
{
    m_thread = std::jthread([this, file, messages = traced(m_controller)] {
        QString problem;
        try {
            writeTraceFile(fromUtf8(file.toStdString()), messages);
        } catch (const std::exception &error) {
            problem = QString::fromStdString(error.what());
        }
        QMetaObject::invokeMethod(this, [this, file, problem] {
            if (problem.isEmpty())
                emit written(file);
            else
                emit failed(problem);
        });
    });
}

} // namespace bathyscope::app
