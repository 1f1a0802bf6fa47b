// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/history_client.h"

namespace bathyscope::app {

HistoryClient::HistoryClient(std::unique_ptr<storage::History> history, QObject *parent)
    : QObject(parent)
{
    storage::HistoryThread::Events events;
    events.failed = [this](const std::string &text) {
        onInterfaceThread([this, text] { setState(State::NotSaved, QString::fromStdString(text)); });
    };
    events.recovered = [this] { onInterfaceThread([this] { setState(State::Saved); }); };
    m_thread = std::make_unique<storage::HistoryThread>(std::move(history), std::move(events));
}

HistoryClient::~HistoryClient()
{
    // Before anything else goes: its callbacks use this object.
    m_thread.reset();
}

void HistoryClient::write(storage::HistoryThread::Write operations, std::function<void()> done)
{
    ++m_pending;
    if (m_state == State::Saved)
        setState(State::Saving);
    m_thread->write(std::move(operations), [this, done = std::move(done)] {
        onInterfaceThread([this, done] {
            if (--m_pending == 0)
                setState(State::Saved);
            if (done)
                done();
        });
    });
}

void HistoryClient::appendTokens(storage::MessageId id, std::vector<TokenRecord> tokens)
{
    if (m_state == State::Saved)
        setState(State::Saving);
    m_thread->appendTokens(id, std::move(tokens));
}

void HistoryClient::onInterfaceThread(std::function<void()> call)
{
    QMetaObject::invokeMethod(this, std::move(call), Qt::QueuedConnection);
}

void HistoryClient::setState(State state, const QString &detail)
{
    m_state = state;
    emit stateChanged(state, detail);
}

} // namespace bathyscope::app
