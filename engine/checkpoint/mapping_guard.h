// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>

namespace bathyscope {

/// While it lives, reading a mapped file behind its end is no end of the program: the page reads as zeros,
/// and the guard remembers. A file shrinks when another program writes it anew; the system then answers a
/// read with a signal (SIGBUS), which cannot be turned into an exception where it happens, deep inside
/// arithmetic. So whoever uses the file asks isBroken() when a phase of the work is done, before the result
/// is used. Where the system does not let a mapped file shrink (Windows) it is never broken.
class MappingGuard {
public:
    /// `begin` is the beginning of a mapping. Throws Error when too many files are mapped.
    MappingGuard(const void *begin, std::size_t size);
    ~MappingGuard();
    MappingGuard(const MappingGuard &) = delete;
    MappingGuard &operator=(const MappingGuard &) = delete;

    [[nodiscard]] bool isBroken() const;

private:
    std::size_t m_slot;
};

} // namespace bathyscope
