// SPDX-License-Identifier: GPL-3.0-or-later
//
// The history as the interface thread sees it: callbacks arrive on the interface thread.
#pragma once

#include "storage/history_thread.h"

#include <QObject>
#include <QString>

#include <functional>
#include <memory>
#include <vector>

namespace bathyscope::app {

class HistoryClient : public QObject {
    Q_OBJECT

public:
    enum class State { Saved, Saving, NotSaved };
    Q_ENUM(State)

    explicit HistoryClient(std::unique_ptr<storage::History> history, QObject *parent = nullptr);
    ~HistoryClient() override; ///< writes all that was posted

    std::int64_t newId() { return m_thread->newMessageId(); }

    /// See HistoryThread::write. `done` is called once it is stored.
    void write(storage::HistoryThread::Write operations, std::function<void()> done = {});
    void appendTokens(storage::MessageId id, std::vector<TokenRecord> tokens);

    template <typename Result>
    void read(std::function<Result(storage::History &)> query, std::function<void(Result)> done)
    {
        m_thread->read<Result>(std::move(query), [this, done = std::move(done)](Result result) {
            // Qt copies what it queues; a shared owner makes that cheap for any result.
            auto shared = std::make_shared<Result>(std::move(result));
            onInterfaceThread([done, shared] { done(std::move(*shared)); });
        });
    }

signals:
    void stateChanged(bathyscope::app::HistoryClient::State state, const QString &detail);

private:
    void onInterfaceThread(std::function<void()> call);
    void setState(State state, const QString &detail = {});

    int m_pending = 0; ///< writes that are not stored yet
    State m_state = State::Saved;
    std::unique_ptr<storage::HistoryThread> m_thread;
};

} // namespace bathyscope::app
