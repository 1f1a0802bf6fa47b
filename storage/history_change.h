// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/database.h"
#include "storage/history.h"
#include "storage/trace_store.h"

namespace bathyscope::storage {

/// A transaction of the history and then of its traces. Undone unless committed; inside another one it is a
/// part of it. Before the outermost one begins, a file that vanished is put back.
class History::Change {
public:
    /// Now: the commit waits until the medium holds it. Later: it outlasts the end of the program but not
    /// always a power cut; waiting several times a second would wear the disk for half a reply, and the
    /// commit that finishes the reply waits for all of it.
    enum class Sync : std::uint8_t { Now, Later };

    explicit Change(History &history, Sync sync = Sync::Now);
    ~Change();
    Change(const Change &) = delete;
    Change &operator=(const Change &) = delete;
    void commit();

private:
    History &m_history;
    bool m_outermost;
    Sync m_sync;
    std::optional<Transaction> m_transaction;
};

} // namespace bathyscope::storage
