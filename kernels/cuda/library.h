// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace bathyscope::kernels::cuda {

/// A shared library that is looked for at run time. It stays loaded until the program ends: its threads may
/// outlive every object here.
class Library {
public:
    /// The first of `names` that can be loaded.
    template <typename Names>
    explicit Library(const Names &names)
    {
        for (const char *name : names)
            if (!m_handle)
                load(name);
    }

    [[nodiscard]] bool loaded() const { return m_handle != nullptr; }
    [[nodiscard]] const std::string &error() const
    {
        return m_error;
    } ///< the system's words for the first name

    /// nullptr when the library has no such function.
    template <typename Function>
    [[nodiscard]] Function function(const char *name) const
    {
        return reinterpret_cast<Function>(symbol(name));
    }

private:
    void load(const char *name);
    [[nodiscard]] void *symbol(const char *name) const;

    void *m_handle = nullptr;
    std::string m_error;
};

} // namespace bathyscope::kernels::cuda
