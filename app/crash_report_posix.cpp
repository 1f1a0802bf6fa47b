// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/crash_report.h"

#if !defined(_WIN32)

#include <QFile>
#include <QSysInfo>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <string_view>

#include <execinfo.h>
#include <fcntl.h>
#include <unistd.h>

namespace bathyscope::app {

namespace {

constexpr int maxFrames = 128;
constexpr std::array faults{SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

// A handler may allocate nothing and ask nobody: all it needs is made before and lies here.
std::array<char, 4096> reportName;
std::array<char, 512> reportHead;
std::array<char, 64 * 1024> handlerStack; ///< the thread's own may be what is exhausted

void write(int file, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t written = ::write(file, text.data(), text.size());
        if (written <= 0)
            return;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string_view nameOf(int signal)
{
    switch (signal) {
    case SIGSEGV:
        return "SIGSEGV (access to memory that is not there)";
    case SIGBUS:
        return "SIGBUS (access to a file that is not there)";
    case SIGFPE:
        return "SIGFPE (impossible arithmetic)";
    case SIGILL:
        return "SIGILL (unknown instruction)";
    default:
        return "SIGABRT (the program gave up)";
    }
}

/// Calls only what is safe in a handler, and backtrace(), which is once it has been called before.
void onFault(int signal)
{
    const int file = ::open(reportName.data(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) {
        write(file, reportHead.data());
        write(file, nameOf(signal));
        write(file, "\n\n");
        std::array<void *, maxFrames> frames;
        ::backtrace_symbols_fd(frames.data(), ::backtrace(frames.data(), maxFrames), file);
        ::close(file);
    }
    // The handler is off by SA_RESETHAND: the fault is met again, or raised again, and ends the program.
    ::raise(signal);
}

template <std::size_t size>
void keep(std::array<char, size> &place, const QByteArray &text)
{
    const auto count = std::min(size - 1, static_cast<std::size_t>(text.size()));
    std::memcpy(place.data(), text.constData(), count);
    place[count] = '\0';
}

} // namespace

void writeReportOnCrash(const QString &file)
{
    keep(reportName, QFile::encodeName(file));
    keep(
        reportHead,
        QStringLiteral("Bathyscope " BATHYSCOPE_VERSION "\n%1, %2, Qt %3\n")
            .arg(QSysInfo::prettyProductName(), QSysInfo::currentCpuArchitecture(), QLatin1String(qVersion()))
            .toUtf8());
    // The first call loads a library, which a handler must not.
    std::array<void *, 1> frame;
    (void)::backtrace(frame.data(), 1);
    stack_t stack = {};
    stack.ss_sp = handlerStack.data();
    stack.ss_size = handlerStack.size();
    ::sigaltstack(&stack, nullptr);
    struct sigaction action = {};
    action.sa_handler = onFault;
    action.sa_flags = static_cast<int>(SA_ONSTACK | SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    for (const int fault : faults)
        ::sigaction(fault, &action, nullptr);
}

} // namespace bathyscope::app

#endif
