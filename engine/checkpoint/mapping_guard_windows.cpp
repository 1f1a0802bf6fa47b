// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "engine/checkpoint/mapping_guard.h"

namespace bathyscope {

// Windows does not let anybody shorten a file while it is mapped, so there is nothing to guard.
MappingGuard::MappingGuard(const void *, std::size_t)
    : m_slot(0)
{
}

MappingGuard::~MappingGuard() = default;

bool MappingGuard::isBroken() const
{
    return m_slot != 0;
}

} // namespace bathyscope

#endif
