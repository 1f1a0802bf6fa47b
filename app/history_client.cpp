// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/history_client.h"

namespace bathyscope::app {

HistoryClient::HistoryClient(ProfileHistory history, QObject *parent)
    : QObject(parent)
    , m_readOnly(history.readOnly)
    , m_state(m_readOnly ? State::ReadOnly : State::Saved)
{
    storage::HistoryThread::Events events;
    events.failed = [this](const std::string &text) {
        onInterfaceThread([this, text] { emit told(QString::fromStdString(text)); });
    };
    events.refused = [this](const std::string &text) {
        onInterfaceThread([this, text] {
            m_refused = true;
            updateState(QString::fromStdString(text));
        });
    };
    events.recovered = [this] {
        onInterfaceThread([this] {
            m_refused = false;
            updateState();
        });
    };
    events.clockBehind = [this](const std::string &text) {
        onInterfaceThread([this, text] { emit clockBehind(QString::fromStdString(text)); });
    };
    m_thread = std::make_unique<storage::HistoryThread>(std::move(history.history), std::move(history.open),
                                                        history.refusal.toStdString(), std::move(events));
}

HistoryClient::~HistoryClient()
{
    // Before anything else goes: its callbacks use this object.
    m_thread.reset();
}

void HistoryClient::write(storage::HistoryThread::Write operations, std::function<void()> done,
                          std::function<void()> failed)
{
    ++m_pending;
    updateState();
    const auto settled = [this](const std::function<void()> &then) {
        onInterfaceThread([this, then] {
            --m_pending;
            m_unwritten = false;
            updateState();
            if (then)
                then();
        });
    };
    m_thread->write(
        std::move(operations), [settled, done = std::move(done)] { settled(done); },
        [settled, failed = std::move(failed)] { settled(failed); });
}

void HistoryClient::appendTokens(storage::MessageId id, std::vector<TokenRecord> tokens)
{
    m_unwritten = true;
    updateState();
    m_thread->appendTokens(id, std::move(tokens));
}

void HistoryClient::onInterfaceThread(std::function<void()> call)
{
    QMetaObject::invokeMethod(this, std::move(call), Qt::QueuedConnection);
}

void HistoryClient::updateState(const QString &detail)
{
    const State state = m_readOnly     ? State::ReadOnly
        : m_refused                    ? State::NotSaved
        : m_pending > 0 || m_unwritten ? State::Saving
                                       : State::Saved;
    if (state == m_state && detail.isEmpty())
        return;
    m_state = state;
    emit stateChanged(state, detail);
}

} // namespace bathyscope::app
