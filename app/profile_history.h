// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/history_thread.h"

#include <QString>

#include <memory>

namespace bathyscope::app {

/// The history of a profile as it could be opened.
struct ProfileHistory {
    std::unique_ptr<storage::History> history = {};
    bool readOnly = false;
    /// Not empty: the folder cannot be used now and `history` is a stand-in, see storage::HistoryThread.
    storage::HistoryThread::Open open = {};
    QString refusal = {}; ///< why the folder cannot be used
};

enum class Access { ReadWrite, ReadOnly };

/// Where the medium refuses, what can be read there is in the stand-in. Throws storage::ProfileInUse,
/// storage::NewerDatabase, and for Access::ReadOnly any Error.
ProfileHistory openHistory(const QString &folder, Access access = Access::ReadWrite);

} // namespace bathyscope::app
