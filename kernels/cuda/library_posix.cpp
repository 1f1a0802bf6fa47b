// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef _WIN32
#include "kernels/cuda/library.h"

#include <dlfcn.h>

namespace bathyscope::kernels::cuda {

void Library::load(const char *name)
{
    m_handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (const char *error = m_handle ? nullptr : dlerror(); error && m_error.empty())
        m_error = error;
}

void *Library::symbol(const char *name) const
{
    return dlsym(m_handle, name);
}

} // namespace bathyscope::kernels::cuda
#endif
