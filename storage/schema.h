// SPDX-License-Identifier: GPL-3.0-or-later
//
// The tables, and the numbered steps by which an older file reaches them.
#pragma once

#include "storage/history_types.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace bathyscope::storage {

class Database;

/// "Bath" in PRAGMA application_id: what file(1) and we know the file by.
inline constexpr std::int32_t kApplicationId = 0x42617468;
/// "BatT": the file of traces.
inline constexpr std::int32_t kTracesApplicationId = 0x42617454;

/// The tokens of a part of a reply that had its traces among its words, as version 1 had.
using TraceSink = std::function<void(MessageId, ConversationId, const std::string &model, std::int64_t first,
                                     std::span<const TokenRecord>)>;

/// What leads from one version to the next: SQL, then what SQL cannot do.
struct Migration {
    std::string_view sql;
    void (*convert)(Database &database, const TraceSink &traces) = nullptr;
};

/// By the version they start from. Published steps are never changed, only followed.
std::span<const Migration> migrations();

/// Those of the file of traces.
std::span<const Migration> traceMigrations();

struct MigrationHooks {
    std::function<void(std::int64_t version)> before =
        {}; ///< called once when an existing file is about to change
    TraceSink traces = {};
    std::function<void()> beforeCommit = {}; ///< of each step
};

/// Brings the database to version `steps.size()` (PRAGMA user_version), each step in a transaction of its
/// own. Throws NewerDatabase for a greater version, Error for the file of another program; both leave it
/// unchanged.
void migrate(Database &database, std::span<const Migration> steps, const MigrationHooks &hooks = {},
             std::int32_t applicationId = kApplicationId);

} // namespace bathyscope::storage
