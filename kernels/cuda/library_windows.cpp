// SPDX-License-Identifier: GPL-3.0-or-later
#ifdef _WIN32
#include "kernels/cuda/library.h"

#include <windows.h>

namespace bathyscope::kernels::cuda {

void Library::load(const char *name)
{
    // Only from the system's folders and the program's own, never from the current one.
    m_handle = LoadLibraryExA(name, nullptr, LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
    if (!m_handle && m_error.empty())
        m_error = std::string(name) + ": error " + std::to_string(GetLastError());
}

void *Library::symbol(const char *name) const
{
    return reinterpret_cast<void *>(GetProcAddress(static_cast<HMODULE>(m_handle), name));
}

} // namespace bathyscope::kernels::cuda
#endif
