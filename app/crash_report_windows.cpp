// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/crash_report.h"

#if defined(_WIN32)

#include <QDir>
#include <QSysInfo>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

#include <windows.h>

namespace bathyscope::app {

namespace {

constexpr DWORD maxFrames = 62;

// A handler may allocate nothing and ask nobody: all it needs is made before and lies here.
std::array<wchar_t, 4096> reportName;
std::array<char, 512> reportHead;

void write(HANDLE file, std::string_view text)
{
    DWORD written = 0;
    ::WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
}

/// An address as its module and the distance from there, which is the same in every run.
void writeFrame(HANDLE file, const void *address)
{
    HMODULE module = nullptr;
    std::array<char, MAX_PATH> path{};
    ::GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS
                             | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                         static_cast<LPCSTR>(address), &module);
    ::GetModuleFileNameA(module, path.data(), MAX_PATH - 1);
    const char *name = std::strrchr(path.data(), '\\');
    std::array<char, 2 * MAX_PATH> line{};
    const int length = std::snprintf(
        line.data(), line.size(), "%s(+0x%llx)\n", name == nullptr ? "?" : name + 1,
        reinterpret_cast<unsigned long long>(address) - reinterpret_cast<unsigned long long>(module));
    write(file, {line.data(), static_cast<std::size_t>(std::max(length, 0))});
}

void writeReport(std::string_view kind)
{
    HANDLE file = ::CreateFileW(reportName.data(), GENERIC_WRITE, 0, nullptr, CREATE_NEW,
                                FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE)
        return;
    write(file, reportHead.data());
    write(file, kind);
    write(file, "\n\n");
    std::array<void *, maxFrames> frames{};
    const WORD count = ::RtlCaptureStackBackTrace(0, maxFrames, frames.data(), nullptr);
    for (WORD i = 0; i < count; ++i)
        writeFrame(file, frames[i]);
    ::CloseHandle(file);
}

std::string_view nameOf(DWORD code)
{
    switch (code) {
    case EXCEPTION_ACCESS_VIOLATION:
        return "access violation (access to memory that is not there)";
    case EXCEPTION_IN_PAGE_ERROR:
        return "in-page error (a file could not be read)";
    case EXCEPTION_INT_DIVIDE_BY_ZERO:
        return "division by zero";
    case EXCEPTION_ILLEGAL_INSTRUCTION:
        return "unknown instruction";
    case EXCEPTION_STACK_OVERFLOW:
        return "stack overflow";
    default:
        return "fault";
    }
}

LONG WINAPI onFault(EXCEPTION_POINTERS *fault)
{
    writeReport(nameOf(fault->ExceptionRecord->ExceptionCode));
    return EXCEPTION_EXECUTE_HANDLER; // ends the program with the fault's code
}

void onAbort(int)
{
    writeReport("abort (the program gave up)");
}

} // namespace

void writeReportOnCrash(const QString &file)
{
    const std::wstring name = QDir::toNativeSeparators(file).toStdWString();
    std::copy_n(name.data(), std::min(name.size(), reportName.size() - 1), reportName.data());
    const QByteArray head =
        QStringLiteral("Bathyscope " BATHYSCOPE_VERSION "\n%1, %2, Qt %3\n")
            .arg(QSysInfo::prettyProductName(), QSysInfo::currentCpuArchitecture(), QLatin1String(qVersion()))
            .toUtf8();
    std::copy_n(head.constData(),
                std::min<std::size_t>(static_cast<std::size_t>(head.size()), reportHead.size() - 1),
                reportHead.data());
    ::SetUnhandledExceptionFilter(onFault);
    std::signal(SIGABRT, onAbort);
}

} // namespace bathyscope::app

#endif
