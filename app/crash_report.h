// SPDX-License-Identifier: GPL-3.0-or-later
//
// What is left when the program ends by a fault. It stays on the machine: the next start offers the file, and
// nobody else is told. One .cpp file for each kind of system.
#pragma once

#include <QString>

namespace bathyscope::app {

/// From now on a fault of the program (a bad access, an abort, an exception that nobody caught) writes a
/// report to `file` before it ends the program: version, system, kind of fault, and the backtrace of the
/// thread. Nothing in it comes from the user's texts. An earlier report in its place is kept.
void writeReportOnCrash(const QString &file);

/// Moves the report of the last run to "crash-report-DATE.txt" beside it, so that a new crash has room, and
/// returns its name; empty: there is none.
QString takeCrashReport(const QString &file);

/// Where the report of a profile is written.
QString crashReportFile(const QString &profile);

} // namespace bathyscope::app
