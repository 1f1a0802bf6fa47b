// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>

namespace bathyscope::storage {

/// Makes ids for conversations and messages: milliseconds since 1970 in the upper bits, 20 random or counted
/// bits below. Ascending, so that order of id is order of creation, and unique without asking the database.
/// Thread-safe.
class IdSource {
public:
    explicit IdSource(std::int64_t after = 0); ///< see startAfter()
    std::int64_t next();
    /// All later ids are greater than this one: the clock may have been set back since it was made.
    void startAfter(std::int64_t id);

private:
    std::atomic<std::int64_t> m_last = 0;
    std::int64_t m_salt = 0;
};

} // namespace bathyscope::storage
