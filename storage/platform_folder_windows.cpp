// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "storage/platform_folder.h"

#include "engine/error.h"

#include <memory>

#include <shlobj.h>

namespace bathyscope::storage {

std::filesystem::path defaultProfileFolder()
{
    PWSTR data = nullptr;
    const HRESULT result = ::SHGetKnownFolderPath(FOLDERID_RoamingAppData, 0, nullptr, &data);
    const std::unique_ptr<wchar_t, decltype(&::CoTaskMemFree)> owner(data, &::CoTaskMemFree);
    if (FAILED(result))
        throw Error("AppData: expected the user's folder for data, found none.");
    return std::filesystem::path(data) / "bathyscope";
}

} // namespace bathyscope::storage

#endif
