// SPDX-License-Identifier: GPL-3.0-or-later
#if defined(_WIN32)

#include "app/tools/console.h"

#include "engine/error.h"

#include <array>
#include <cstdio>
#include <memory>

#include <fcntl.h>
#include <io.h>
#include <windows.h>

#include <shellapi.h>

namespace bathyscope::app {

namespace {

bool isUsable(DWORD stream)
{
    HANDLE handle = ::GetStdHandle(stream);
    return handle != nullptr && handle != INVALID_HANDLE_VALUE;
}

} // namespace

std::vector<std::string> openConsole(int, char **)
{
    ::SetConsoleOutputCP(CP_UTF8);
    ::_setmode(::_fileno(stdout), _O_BINARY);
    // main()'s own words are in the system's old code page, which lacks most characters.
    int count = 0;
    const std::unique_ptr<LPWSTR, decltype(&::LocalFree)> words(
        ::CommandLineToArgvW(::GetCommandLineW(), &count), &::LocalFree);
    std::vector<std::string> arguments;
    for (int i = 1; i < count; ++i)
        arguments.push_back(toUtf8(words.get()[i]));
    return arguments;
}

void joinConsole()
{
    // Output that goes to a file or a pipe is left as it is.
    if (isUsable(STD_OUTPUT_HANDLE) || !::AttachConsole(ATTACH_PARENT_PROCESS))
        return;
    ::SetConsoleOutputCP(CP_UTF8);
    (void)std::freopen("CONOUT$", "w", stdout);
    (void)std::freopen("CONOUT$", "w", stderr);
}

std::filesystem::path programFolder()
{
    std::array<wchar_t, 32768> name{}; // the longest that the system has
    const DWORD length = ::GetModuleFileNameW(nullptr, name.data(), static_cast<DWORD>(name.size()));
    return std::filesystem::path(std::wstring_view(name.data(), length)).parent_path();
}

} // namespace bathyscope::app

#endif
