// SPDX-License-Identifier: GPL-3.0-or-later
//
// The history as the interface thread sees it: callbacks arrive on the interface thread.
#pragma once

#include "app/profile_history.h"
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
    enum class State {
        Saved,
        Saving,
        NotSaved, ///< the medium refuses; all goes on in memory until it works again
        ReadOnly
    };
    Q_ENUM(State)

    explicit HistoryClient(ProfileHistory history, QObject *parent = nullptr);
    ~HistoryClient() override; ///< writes all that was posted

    [[nodiscard]] State state() const { return m_state; }
    std::int64_t newId() { return m_thread->newMessageId(); }
    /// For History::importConversation(); thread-safe.
    storage::IdSource &ids() { return m_thread->ids(); }

    /// See HistoryThread::write.
    void write(storage::HistoryThread::Write operations, std::function<void()> done = {},
               std::function<void()> failed = {});
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
    /// `detail` says why something is not saved.
    void stateChanged(bathyscope::app::HistoryClient::State state, const QString &detail);
    /// Something went wrong once, or a damaged history was repaired.
    void told(const QString &text);
    /// This machine's clock stands before the latest time stored; with an empty text: no longer.
    void clockBehind(const QString &text);

private:
    void onInterfaceThread(std::function<void()> call);
    void updateState(const QString &detail = {});

    bool m_readOnly;
    bool m_refused = false; ///< by the medium
    bool m_unwritten = false; ///< tokens may wait
    int m_pending = 0; ///< writes that are not stored yet
    State m_state = State::Saved;
    std::unique_ptr<storage::HistoryThread> m_thread;
};

} // namespace bathyscope::app
