// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "storage/platform_folder.h"

#include "engine/error.h"

#include <cstdlib>

namespace bathyscope::storage {

std::filesystem::path defaultProfileFolder()
{
    // The specification has relative paths ignored.
    const char *data = std::getenv("XDG_DATA_HOME");
    if (data != nullptr && std::filesystem::path(data).is_absolute())
        return std::filesystem::path(data) / "bathyscope";
    const char *home = std::getenv("HOME");
    if (home == nullptr || !std::filesystem::path(home).is_absolute())
        throw Error(
            "HOME: expected the absolute path of the user's folder, found none. Set HOME or XDG_DATA_HOME.");
    return std::filesystem::path(home) / ".local" / "share" / "bathyscope";
}

} // namespace bathyscope::storage

#endif
