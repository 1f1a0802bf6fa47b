// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/profile_history.h"

#include "engine/error.h"

namespace bathyscope::app {

namespace {

std::unique_ptr<storage::History> makeStandIn(const std::filesystem::path &folder)
{
    try {
        return storage::History::inMemory(folder);
    } catch (const Error &) {
        // Nothing to be read there: an empty one.
        return storage::History::inMemory();
    }
}

} // namespace

ProfileHistory openHistory(const QString &folder, Access access)
{
    const std::filesystem::path path = fromUtf8(folder.toStdString());
    if (access == Access::ReadOnly)
        return {.history = storage::History::readOnly(path), .readOnly = true};
    try {
        return {.history = std::make_unique<storage::History>(path)};
    } catch (const storage::ProfileInUse &) {
        throw;
    } catch (const storage::NewerDatabase &) {
        throw;
    } catch (const Error &failure) {
        return {.history = makeStandIn(path),
                .open = [path] { return std::make_unique<storage::History>(path); },
                .refusal = QString::fromStdString(failure.what())};
    }
}

} // namespace bathyscope::app
