// SPDX-License-Identifier: GPL-3.0-or-later
#if !defined(_WIN32)

#include "app/tools/console.h"

namespace bathyscope::app {

std::vector<std::string> openConsole(int argc, char **argv)
{
    return {argv + 1, argv + argc};
}

void joinConsole() { }

std::filesystem::path programFolder()
{
    std::error_code ignored;
    return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

} // namespace bathyscope::app

#endif
